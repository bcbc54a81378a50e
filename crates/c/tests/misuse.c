/* Mistakes of a calling program, each refused by its code; a program's own verifier; texts and
 * claims; the refresh decision. The token comes from tests/cases.py. */

#include "support.h"

static char *token, *jwks, *url, *audience, *subject;
static unsigned long long now;

static claimgate_access_settings settings;
static const claimgate_policy *policy;
static claimgate_issuer *issuer;
static claimgate_validation *validation;

static claimgate_code validate(claimgate_cache *cache) {
    const claimgate_issuer *issuers[] = {issuer};
    return claimgate_validate_access_token(validation, issuers, 1, policy, text(token), NULL,
                                           cache, now);
}

static void make_objects(void) {
    settings = (claimgate_access_settings){.size = sizeof settings, .audience = text(audience)};
    IS(CLAIMGATE_OK, claimgate_policy_init(NEW(policy), claimgate_policy_size(), &settings,
                                           &policy));
    claimgate_issuer_settings of = {.size = sizeof of, .url = text(url)};
    IS(CLAIMGATE_OK, claimgate_issuer_init(NEW(issuer), claimgate_issuer_size(), &of, &issuer));
    IS(CLAIMGATE_OK, claimgate_issuer_set_keys(issuer, text(jwks)));
    IS(CLAIMGATE_OK, claimgate_validation_init(NEW(validation), claimgate_validation_size(),
                                               &validation));
}

static void refuse_memory(void) {
    size_t size = claimgate_policy_size();
    char *memory = NEW(policy);
    const claimgate_policy *none = NULL;
    IS(CLAIMGATE_NULL_POINTER, claimgate_policy_init(NULL, size, &settings, &none));
    IS(CLAIMGATE_NULL_POINTER, claimgate_policy_init(memory, size, NULL, &none));
    IS(CLAIMGATE_NULL_POINTER, claimgate_policy_init(memory, size, &settings, NULL));
    IS(CLAIMGATE_MEMORY_TOO_SMALL, claimgate_policy_init(memory, size - 1, &settings, &none));
    IS(CLAIMGATE_MEMORY_TOO_SMALL, claimgate_policy_init(memory, 0, &settings, &none));
    IS(CLAIMGATE_MISALIGNED, claimgate_policy_init(memory + 1, size, &settings, &none));
    claimgate_access_settings other = settings;
    other.size = sizeof other - 1;
    IS(CLAIMGATE_WRONG_SIZE, claimgate_policy_init(memory, size, &other, &none));
    other.size = 0;
    IS(CLAIMGATE_WRONG_SIZE, claimgate_policy_init(memory, size, &other, &none));
    HOLDS(none == NULL);
    /* Memory in which an initialisation failed is no object. */
    const claimgate_issuer *issuers[] = {issuer};
    IS(CLAIMGATE_NOT_AN_OBJECT,
       claimgate_validate_access_token(validation, issuers, 1, (claimgate_policy *)memory,
                                       text(token), NULL, NULL, now));
    free(memory);
    claimgate_cache *no_cache = NULL;
    void *cache = memory_of(claimgate_cache_size(8), claimgate_cache_align());
    IS(CLAIMGATE_MEMORY_TOO_SMALL,
       claimgate_cache_init(cache, claimgate_cache_size(8) - 1, 8, &no_cache));
    IS(CLAIMGATE_MEMORY_TOO_SMALL,
       claimgate_cache_init(cache, claimgate_cache_size(8), SIZE_MAX, &no_cache));
    HOLDS(claimgate_cache_size(SIZE_MAX) == 0);
    free(cache);
}

static void refuse_settings(void) {
    void *memory = NEW(policy);
    const claimgate_policy *none = NULL;
    size_t size = claimgate_policy_size();
#define REFUSED(code, change)                                                           \
    do {                                                                                \
        claimgate_access_settings changed = settings;                                   \
        changed.change;                                                                 \
        IS(code, claimgate_policy_init(memory, size, &changed, &none));                 \
    } while (0)
    claimgate_text one = text("a"), empty = text(""), broken = text("a b"), wrong = text("\xff");
    REFUSED(CLAIMGATE_EMPTY_IDENTIFIER, audience = empty);
    REFUSED(CLAIMGATE_NULL_POINTER, audience = text(NULL));
    REFUSED(CLAIMGATE_NOT_UTF8, audience = wrong);
    REFUSED(CLAIMGATE_INVALID_LENGTH, audience.length = SIZE_MAX);
    REFUSED(CLAIMGATE_INVALID_LENGTH, audience.length = (size_t)PTRDIFF_MAX + 1);
    REFUSED(CLAIMGATE_INVALID_SETTING, profile = 3);
    REFUSED(CLAIMGATE_INVALID_SETTING, profile = CLAIMGATE_PROFILE_WITHOUT_AUDIENCE);
    REFUSED(CLAIMGATE_INVALID_SETTING, subject_kind = 3);
    REFUSED(CLAIMGATE_INVALID_SETTING, danger_ignore_confirmation = 2);
    REFUSED(CLAIMGATE_INVALID_SETTING, common.ignore_issued_in_future = 2);
    REFUSED(CLAIMGATE_INVALID_SETTING, common.allowed_foreign_claims = 1024);
    REFUSED(CLAIMGATE_LEEWAY_TOO_LONG, common.leeway = ((claimgate_seconds){601, 1}));
    REFUSED(CLAIMGATE_EMPTY_LIST, scopes_all = ((claimgate_texts){&one, 0}));
    claimgate_access_settings both = settings;
    both.scopes_any = (claimgate_texts){&one, 1};
    IS(CLAIMGATE_OK, claimgate_policy_init(memory, size, &both, &none));
    both.scopes_all = (claimgate_texts){&one, 0};
    IS(CLAIMGATE_EMPTY_LIST, claimgate_policy_init(memory, size, &both, &none));
    REFUSED(CLAIMGATE_SCOPE_TOKEN, scopes_any = ((claimgate_texts){&broken, 1}));
    REFUSED(CLAIMGATE_NULL_POINTER, scopes_any = ((claimgate_texts){NULL, 1}));
    REFUSED(CLAIMGATE_INVALID_LENGTH, scopes_any = ((claimgate_texts){&one, SIZE_MAX}));
    REFUSED(CLAIMGATE_MISALIGNED,
            scopes_any = ((claimgate_texts){(claimgate_text *)((char *)&one + 1), 1}));
    claimgate_text many[97];
    for (size_t i = 0; i < 97; i++) many[i] = one;
    REFUSED(CLAIMGATE_TOO_MANY_SETTINGS, scopes_all = ((claimgate_texts){many, 97}));
    claimgate_text own = text(audience);
    REFUSED(CLAIMGATE_AUDIENCE_IS_CLIENT_ID, client_ids = ((claimgate_texts){&own, 1}));
    claimgate_claim_rule rule = {.path = {many, 5}, .comparison = CLAIMGATE_EQUALS, .text = one};
    REFUSED(CLAIMGATE_CLAIM_PATH, common.claim_rules = ((claimgate_claim_rules){&rule, 1}));
    rule.path.count = 0;
    REFUSED(CLAIMGATE_CLAIM_PATH, common.claim_rules = ((claimgate_claim_rules){&rule, 1}));
    rule.path.count = 1;
    rule.comparison = 6;
    REFUSED(CLAIMGATE_INVALID_SETTING, common.claim_rules = ((claimgate_claim_rules){&rule, 1}));
    rule.comparison = CLAIMGATE_ONE_OF;
    REFUSED(CLAIMGATE_EMPTY_LIST, common.claim_rules = ((claimgate_claim_rules){&rule, 1}));
    rule.comparison = CLAIMGATE_EQUALS_BOOLEAN;
    rule.integer = 2;
    REFUSED(CLAIMGATE_INVALID_SETTING, common.claim_rules = ((claimgate_claim_rules){&rule, 1}));
    free(memory);
}

static void refuse_calls(void) {
    const claimgate_issuer *issuers[] = {issuer, NULL};
    claimgate_text given = text(token);
#define CALL(v, i, n, p, t, k, c) claimgate_validate_access_token(v, i, n, p, t, k, c, now)
    IS(CLAIMGATE_OK, CALL(validation, issuers, 1, policy, given, NULL, NULL));
    IS(CLAIMGATE_NULL_POINTER, CALL(NULL, issuers, 1, policy, given, NULL, NULL));
    IS(CLAIMGATE_NULL_POINTER, CALL(validation, NULL, 1, policy, given, NULL, NULL));
    IS(CLAIMGATE_NULL_POINTER, CALL(validation, issuers, 2, policy, given, NULL, NULL));
    IS(CLAIMGATE_TOO_MANY_SETTINGS, CALL(validation, issuers, 0, policy, given, NULL, NULL));
    IS(CLAIMGATE_NULL_POINTER, CALL(validation, issuers, 1, NULL, given, NULL, NULL));
    IS(CLAIMGATE_NOT_AN_OBJECT,
       CALL(validation, issuers, 1, (const claimgate_policy *)issuer, given, NULL, NULL));
    IS(CLAIMGATE_NOT_AN_OBJECT,
       CALL((claimgate_validation *)issuer, issuers, 1, policy, given, NULL, NULL));
    IS(CLAIMGATE_MISALIGNED,
       CALL(validation, issuers, 1, (const claimgate_policy *)((const char *)policy + 1), given,
            NULL, NULL));
    IS(CLAIMGATE_NULL_POINTER,
       CALL(validation, issuers, 1, policy, ((claimgate_text){NULL, 5}), NULL, NULL));
    IS(CLAIMGATE_MISSING_TOKEN, CALL(validation, issuers, 1, policy, text(NULL), NULL, NULL));
    IS(CLAIMGATE_MALFORMED_TOKEN, CALL(validation, issuers, 1, policy, text(""), NULL, NULL));
    IS(CLAIMGATE_OVERLAP,
       CALL(validation, issuers, 1, policy, ((claimgate_text){(char *)validation + 64, 8}), NULL,
            NULL));
    claimgate_request_key key = {text(NULL), text(NULL)};
    IS(CLAIMGATE_INVALID_SETTING, CALL(validation, issuers, 1, policy, given, &key, NULL));
    key.jkt = text("");
    IS(CLAIMGATE_EMPTY_IDENTIFIER, CALL(validation, issuers, 1, policy, given, &key, NULL));
    /* A refused call shows no token. */
    claimgate_text shown;
    IS(CLAIMGATE_NO_TOKEN, claimgate_token_text(validation, CLAIMGATE_SUBJECT, &shown));
    uint32_t status = 0;
    IS(CLAIMGATE_OK, claimgate_http_status(validation, &status));
    HOLDS(status == 500);
    /* A copy is no object. */
    void *copy = NEW(policy);
    memcpy(copy, policy, claimgate_policy_size());
    IS(CLAIMGATE_NOT_AN_OBJECT, CALL(validation, issuers, 1, copy, given, NULL, NULL));
    free(copy);
    claimgate_text header = text("Basic YTpi");
    IS(CLAIMGATE_MISSING_TOKEN, claimgate_validate_authorization(validation, issuers, 1, policy,
                                                                 header, NULL, NULL, now));
    header = text("Bearer a b");
    IS(CLAIMGATE_INVALID_REQUEST, claimgate_validate_authorization(validation, issuers, 1, policy,
                                                                   header, NULL, NULL, now));
}

/* What a client sends is refused, with a challenge: a text that is not UTF-8 is no mistake of the
 * program. */
static void refuse_texts_of_clients(void) {
    const claimgate_issuer *issuers[] = {issuer};
    char long_token[4096], challenge[256], message[256];
    snprintf(long_token, sizeof long_token, "%s\xff", token);
    const struct {
        const char *text;
        int is_header;
        claimgate_code code;
        uint32_t status;
        const char *error;
    } sent[] = {
        {"Bearer \xff", 1, CLAIMGATE_INVALID_REQUEST, 400, "error=\"invalid_request\""},
        {"\xff", 1, CLAIMGATE_INVALID_REQUEST, 400, "error=\"invalid_request\""},
        {"Basic \xe9", 1, CLAIMGATE_INVALID_REQUEST, 400, "error=\"invalid_request\""},
        {"Bearer \xc3\xa4", 1, CLAIMGATE_INVALID_REQUEST, 400, "error=\"invalid_request\""},
        {"\xff", 0, CLAIMGATE_INVALID_BASE64, 401, "error=\"invalid_token\""},
        {"a.b.\xc3", 0, CLAIMGATE_INVALID_BASE64, 401, "error=\"invalid_token\""},
        {long_token, 0, CLAIMGATE_INVALID_BASE64, 401, "error=\"invalid_token\""},
    };
    size_t size = claimgate_cache_size(8);
    claimgate_cache *caches[2] = {NULL, NULL};
    void *memory = memory_of(size, claimgate_cache_align());
    IS(CLAIMGATE_OK, claimgate_cache_init(memory, size, 8, &caches[1]));
    for (size_t i = 0; i < 2 * sizeof sent / sizeof *sent; i++) {
        claimgate_text given = text(sent[i / 2].text);
        claimgate_cache *cache = caches[i % 2];
        if (sent[i / 2].is_header) {
            IS(sent[i / 2].code, claimgate_validate_authorization(validation, issuers, 1, policy,
                                                                  given, NULL, cache, now));
        } else {
            IS(sent[i / 2].code, claimgate_validate_access_token(validation, issuers, 1, policy,
                                                                 given, NULL, cache, now));
        }
        uint32_t status = 0;
        size_t length = 0;
        IS(CLAIMGATE_OK, claimgate_http_status(validation, &status));
        HOLDS(status == sent[i / 2].status);
        IS(CLAIMGATE_OK, claimgate_challenge(validation, policy, text(NULL), challenge,
                                             sizeof challenge - 1, &length));
        challenge[length] = '\0';
        HOLDS(strstr(challenge, sent[i / 2].error) != NULL);
        IS(CLAIMGATE_OK, claimgate_message(validation, message, sizeof message, &length));
    }
    free(memory);
    /* Arguments that overlap are a mistake of the program, whatever the client sent. */
    char *within = (char *)validation + claimgate_validation_size() / 2; /* the scratch space */
    claimgate_text inside = {memset(within, 0xff, 8), 8};
    claimgate_request_key key = {inside, text(NULL)};
    IS(CLAIMGATE_OVERLAP, claimgate_validate_authorization(validation, issuers, 1, policy, inside,
                                                           NULL, NULL, now));
    IS(CLAIMGATE_OVERLAP,
       claimgate_validate_authorization(validation, issuers, 1, policy, text("Bearer \xff"), &key,
                                        NULL, now));
    IS(CLAIMGATE_OVERLAP, claimgate_validate_access_token(validation, issuers, 1, policy,
                                                          text(NULL), &key, NULL, now));
    IS(CLAIMGATE_OK, validate(NULL));
}

/* Without a result, the length of one is 0, unless the arguments are refused. */
static void refuse_results(void) {
    char buffer[64];
    claimgate_text name = text("no such claim");
    claimgate_texts path = {&name, 1};
    size_t length = 9;
    IS(CLAIMGATE_OK, validate(NULL));
    IS(CLAIMGATE_INVALID_SETTING, claimgate_challenge(validation, policy, text(NULL), buffer,
                                                      sizeof buffer, &length));
    HOLDS(length == 0);
    length = 9;
    IS(CLAIMGATE_INVALID_SETTING, claimgate_message(validation, buffer, sizeof buffer, &length));
    HOLDS(length == 0);
    length = 9;
    IS(CLAIMGATE_CLAIM_ABSENT,
       claimgate_claim_string(validation, path, buffer, sizeof buffer, &length));
    HOLDS(length == 0);
    IS(CLAIMGATE_NULL_POINTER, claimgate_scope(validation, buffer, sizeof buffer, NULL));
    /* A refused length is not written to. */
    size_t words[2] = {9, 9};
    char *unaligned = (char *)words + 1;
    memset(unaligned, 'a', sizeof(size_t));
    IS(CLAIMGATE_MISALIGNED,
       claimgate_message(validation, buffer, sizeof buffer, (size_t *)unaligned));
    HOLDS(unaligned[0] == 'a');
    name = (claimgate_text){(char *)words, 4};
    memcpy(words, "role", 4);
    IS(CLAIMGATE_OVERLAP,
       claimgate_claim_string(validation, path, buffer, sizeof buffer, words));
    HOLDS(memcmp(words, "role", 4) == 0);
    claimgate_text realm = name;
    IS(CLAIMGATE_EXPIRED, claimgate_validate_access_token(
                              validation, (const claimgate_issuer *[]){issuer}, 1, policy,
                              text(token), NULL, NULL, now + 1000000000));
    IS(CLAIMGATE_OVERLAP,
       claimgate_challenge(validation, policy, realm, buffer, sizeof buffer, words));
    HOLDS(memcmp(words, "role", 4) == 0);
    length = 9;
    IS(CLAIMGATE_NO_TOKEN, claimgate_scope(validation, buffer, sizeof buffer, &length));
    HOLDS(length == 0);
}

static void read_claims(void) {
    claimgate_text shown, path[5] = {text("sub"), text("x"), text("x"), text("x"), text("x")};
    char buffer[256];
    size_t length = 0, needed = strlen(subject);
    IS(CLAIMGATE_OK, validate(NULL));
    IS(CLAIMGATE_OK, claimgate_token_text(validation, CLAIMGATE_SUBJECT, &shown));
    HOLDS(shown.length == needed && memcmp(shown.data, subject, needed) == 0);
    IS(CLAIMGATE_INVALID_SETTING, claimgate_token_text(validation, 99, &shown));
    IS(CLAIMGATE_NULL_POINTER, claimgate_token_text(validation, CLAIMGATE_SUBJECT, NULL));
    IS(CLAIMGATE_OVERLAP, claimgate_token_text(validation, CLAIMGATE_SUBJECT,
                                               (claimgate_text *)((char *)validation + 16)));
    IS(CLAIMGATE_CLAIM_ABSENT, claimgate_audience(validation, 16, &shown));
    claimgate_texts one = {path, 1}, two = {path, 2}, none = {path, 0}, five = {path, 5};
    IS(CLAIMGATE_OK, claimgate_claim_string(validation, one, buffer, sizeof buffer, &length));
    HOLDS(length == needed && memcmp(buffer, subject, needed) == 0);
    /* Exactly enough memory, and a byte less. */
    char *exact = memory_of(needed, 1);
    IS(CLAIMGATE_OK, claimgate_claim_string(validation, one, exact, needed, &length));
    IS(CLAIMGATE_BUFFER_TOO_SMALL,
       claimgate_claim_string(validation, one, exact, needed - 1, &length));
    HOLDS(length == needed);
    free(exact);
    IS(CLAIMGATE_BUFFER_TOO_SMALL, claimgate_claim_string(validation, one, NULL, 0, &length));
    IS(CLAIMGATE_NULL_POINTER, claimgate_claim_string(validation, one, NULL, 1, &length));
    IS(CLAIMGATE_OVERLAP,
       claimgate_claim_string(validation, one, (char *)validation, 64, &length));
    IS(CLAIMGATE_OVERLAP, claimgate_claim_string(validation, one, token, 64, &length));
    IS(CLAIMGATE_CLAIM_TYPE,
       claimgate_claim_string(validation, two, buffer, sizeof buffer, &length));
    IS(CLAIMGATE_CLAIM_PATH,
       claimgate_claim_string(validation, none, buffer, sizeof buffer, &length));
    IS(CLAIMGATE_CLAIM_PATH,
       claimgate_claim_string(validation, five, buffer, sizeof buffer, &length));
    path[0] = text("exp");
    int64_t integer = 0;
    uint64_t expiry = 0;
    IS(CLAIMGATE_OK, claimgate_claim_integer(validation, one, &integer));
    IS(CLAIMGATE_OK, claimgate_token_time(validation, CLAIMGATE_EXPIRY, &expiry));
    HOLDS(integer > 0 && (uint64_t)integer == expiry);
    uint64_t end = 0;
    IS(CLAIMGATE_OK, claimgate_valid_until(validation, policy, &end));
    HOLDS(end == expiry + 60);
    int32_t boolean = 0;
    IS(CLAIMGATE_CLAIM_TYPE, claimgate_claim_boolean(validation, one, &boolean));
    path[0] = text("no such claim");
    IS(CLAIMGATE_CLAIM_ABSENT, claimgate_claim_integer(validation, one, &integer));
    IS(CLAIMGATE_INSUFFICIENT_SCOPE, claimgate_require_scope(validation, text("no:such")));
    /* A valid token has no challenge. */
    IS(CLAIMGATE_INVALID_SETTING, claimgate_challenge(validation, policy, text(NULL), buffer,
                                                      sizeof buffer, &length));
    /* The text of the token changed behind the library's back: nothing is made up. */
    char *middle = strchr(token, '.') + 8, before = *middle;
    *middle = before == 'A' ? 'B' : 'A';
    path[0] = text("sub");
    length = 0;
    claimgate_code code = claimgate_claim_string(validation, one, buffer, sizeof buffer, &length);
    HOLDS(code != CLAIMGATE_OK || (length == needed && memcmp(buffer, subject, needed) == 0));
    *middle = before;
}

static void hit_a_cache(void) {
    size_t size = claimgate_cache_size(8);
    claimgate_cache *cache = NULL;
    void *memory = memory_of(size, claimgate_cache_align());
    IS(CLAIMGATE_OK, claimgate_cache_init(memory, size, 8, &cache));
    uint64_t hits = 9, misses = 9, evictions = 9;
    for (int i = 0; i < 3; i++) IS(CLAIMGATE_OK, validate(cache));
    IS(CLAIMGATE_OK, claimgate_cache_counters(cache, &hits, &misses, &evictions));
    HOLDS(hits == 2 && misses == 1 && evictions == 0);
    claimgate_text shown;
    IS(CLAIMGATE_OK, claimgate_token_text(validation, CLAIMGATE_SUBJECT, &shown));
    /* Another validation with the same cache may have evicted the token that is shown. */
    claimgate_validation *other = NULL;
    IS(CLAIMGATE_OK,
       claimgate_validation_init(NEW(validation), claimgate_validation_size(), &other));
    const claimgate_issuer *issuers[] = {issuer};
    IS(CLAIMGATE_OK, claimgate_validate_access_token(other, issuers, 1, policy, text(token), NULL,
                                                     cache, now));
    IS(CLAIMGATE_NO_TOKEN, claimgate_token_text(validation, CLAIMGATE_SUBJECT, &shown));
    /* A cache that is initialised again shows no token of before. */
    IS(CLAIMGATE_OK, claimgate_token_text(other, CLAIMGATE_SUBJECT, &shown));
    IS(CLAIMGATE_OK, claimgate_cache_init(memory, size, 8, &cache));
    IS(CLAIMGATE_NO_TOKEN, claimgate_token_text(other, CLAIMGATE_SUBJECT, &shown));
    for (int i = 0; i < 8; i++) {
        IS(CLAIMGATE_OK, validate(cache));
        IS(CLAIMGATE_NO_TOKEN, claimgate_token_text(other, CLAIMGATE_SUBJECT, &shown));
    }
    /* A hit is judged by the clock of the call. */
    unsigned long long before = now;
    now += 1000000000;
    IS(CLAIMGATE_EXPIRED, validate(cache));
    now = before;
    /* A withdrawn key is not found in the cache. */
    IS(CLAIMGATE_NO_USABLE_KEYS, claimgate_issuer_set_keys(issuer, text("{\"keys\":[]}")));
    IS(CLAIMGATE_NO_USABLE_KEYS, validate(cache));
    IS(CLAIMGATE_OK, claimgate_issuer_set_keys(issuer, text(jwks)));
    IS(CLAIMGATE_OK, validate(cache));
    /* What is no key set changes nothing. */
    IS(CLAIMGATE_INVALID_JSON, claimgate_issuer_set_keys(issuer, text("<html>")));
    IS(CLAIMGATE_OK, validate(cache));
    IS(CLAIMGATE_OK, claimgate_issuer_withdraw_keys(issuer));
    IS(CLAIMGATE_NO_USABLE_KEYS, validate(cache));
    IS(CLAIMGATE_OK, claimgate_issuer_set_keys(issuer, text(jwks)));
    IS(CLAIMGATE_OVERLAP,
       claimgate_issuer_set_keys(issuer, (claimgate_text){(char *)issuer + 64, 8}));
    free(other);
    free(memory);
}

/* A verifier of the program, which returns a preset result and checks its arguments. */
static int answer, calls;

static int32_t verify(void *context, const claimgate_key_material *key, claimgate_text message,
                      claimgate_text signature) {
    calls++;
    HOLDS(context == &answer);
    HOLDS(key->algorithm == CLAIMGATE_RS256 && key->n_or_x.length == 256);
    HOLDS(key->e_or_y.length == 3 && memcmp(key->e_or_y.data, "\1\0\1", 3) == 0);
    HOLDS(signature.length == 256);
    size_t signed_length = (size_t)(strrchr(token, '.') - token);
    HOLDS(message.length == signed_length && memcmp(message.data, token, signed_length) == 0);
    return answer;
}

static void bring_a_verifier(void) {
    static claimgate_verifier own = {.context = &answer, .verify = verify};
    claimgate_verifier without = {.context = NULL}, unknown = own;
    unknown.algorithms = 512;
    IS(CLAIMGATE_INVALID_SETTING, claimgate_use_verifier(&without));
    IS(CLAIMGATE_INVALID_SETTING, claimgate_use_verifier(&unknown));
    IS(CLAIMGATE_OK, claimgate_use_verifier(&own));
    IS(CLAIMGATE_OK, claimgate_issuer_set_keys(issuer, text(jwks)));
    answer = 1;
    IS(CLAIMGATE_OK, validate(NULL));
    static const int others[] = {0, 2, -1, 256};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        answer = others[i];
        IS(CLAIMGATE_INVALID_SIGNATURE, validate(NULL));
    }
    HOLDS(calls == 5);
    IS(CLAIMGATE_OK, claimgate_use_verifier(NULL));
    IS(CLAIMGATE_OK, claimgate_issuer_set_keys(issuer, text(jwks)));
    IS(CLAIMGATE_OK, validate(NULL));
    HOLDS(calls == 5);
}

static void decide_refreshes(void) {
    claimgate_refresh *refresh = NULL;
    claimgate_refresh_settings seconds = {.size = sizeof seconds,
                                          .max_stale = {7200, 1}};
    uint64_t wait = 9;
    void *memory = NEW(refresh);
    IS(CLAIMGATE_OK,
       claimgate_refresh_init(memory, claimgate_refresh_size(), &seconds, &refresh));
    IS(CLAIMGATE_STALE_KEYS, claimgate_refresh_check_stale(refresh, 1000));
    IS(CLAIMGATE_OK, claimgate_refresh_on_schedule(refresh, 1000, &wait));
    HOLDS(wait == 0);
    IS(CLAIMGATE_OK, claimgate_refresh_on_schedule(refresh, 1000, &wait));
    HOLDS(wait > 0);
    IS(CLAIMGATE_OK, claimgate_refresh_complete(refresh, CLAIMGATE_OK, 1000));
    IS(CLAIMGATE_OK, claimgate_refresh_check_stale(refresh, 1000 + 7199));
    IS(CLAIMGATE_STALE_KEYS, claimgate_refresh_check_stale(refresh, 1000 + 7200));
    IS(CLAIMGATE_OK,
       claimgate_refresh_on_refusal(refresh, CLAIMGATE_UNKNOWN_KEY, 1010, &wait));
    HOLDS(wait == 50);
    IS(CLAIMGATE_OK, claimgate_refresh_on_refusal(refresh, CLAIMGATE_EXPIRED, 1060, &wait));
    HOLDS(wait == 3540);
    IS(CLAIMGATE_OK,
       claimgate_refresh_on_refusal(refresh, CLAIMGATE_UNKNOWN_KEY, 1060, &wait));
    HOLDS(wait == 0);
    IS(CLAIMGATE_OK, claimgate_refresh_failed(refresh, 1061));
    IS(CLAIMGATE_OK, claimgate_refresh_check_stale(refresh, 1062));
    IS(CLAIMGATE_OK, claimgate_refresh_complete(refresh, CLAIMGATE_INVALID_JSON, 1063));
    IS(CLAIMGATE_OK, claimgate_refresh_check_stale(refresh, 1064));
    IS(CLAIMGATE_OK, claimgate_refresh_complete(refresh, CLAIMGATE_NO_USABLE_KEYS, 1065));
    IS(CLAIMGATE_STALE_KEYS, claimgate_refresh_check_stale(refresh, 1066));
    IS(CLAIMGATE_NULL_POINTER, claimgate_refresh_on_schedule(refresh, 1, NULL));
    IS(CLAIMGATE_NULL_POINTER, claimgate_refresh_on_schedule(NULL, 1, &wait));
    free(memory);
}

static char *line_of(FILE *file) {
    static char line[1 << 16];
    if (fgets(line, sizeof line, file) == NULL) exit(2);
    line[strcspn(line, "\n")] = '\0';
    char *copy = malloc(strlen(line) + 1);
    if (copy == NULL) exit(2);
    return strcpy(copy, line);
}

int main(int argc, char **argv) {
    FILE *file = fopen(argc > 1 ? argv[1] : "token.txt", "r");
    if (file == NULL) return 2;
    token = line_of(file);
    jwks = line_of(file);
    url = line_of(file);
    audience = line_of(file);
    subject = line_of(file);
    now = strtoull(line_of(file), NULL, 10);
    fclose(file);
    make_objects();
    refuse_memory();
    refuse_settings();
    refuse_calls();
    refuse_texts_of_clients();
    refuse_results();
    read_claims();
    hit_a_cache();
    bring_a_verifier();
    decide_refreshes();
    return report_checks();
}
