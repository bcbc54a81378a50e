/* Each setting has an effect, each claim can be read, and arguments that overlap are refused. The
 * tokens are made here, and a verifier of this program accepts their signatures. */

#include "support.h"

#define ISSUER "https://issuer.example/"
#define ISSUED 1000000
#define EXPIRES 1003600
#define OWN "\"iss\":\"" ISSUER "\",\"sub\":\"user|1\",\"iat\":1000000,\"exp\":1003600"
#define ACCESS "{" OWN ",\"aud\":\"api\",\"client_id\":\"c1\""
#define ID "{" OWN ",\"aud\":\"app\""
#define LOGOUT                                                                          \
    "{\"iss\":\"" ISSUER "\",\"aud\":\"app\",\"iat\":1000000,\"jti\":\"j1\","           \
    "\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"

/* Appends the base64url of bytes. */
static char *append_base64(char *to, const char *from, size_t length) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | (unsigned char)from[i];
        for (count += 8; count >= 6; count -= 6) *to++ = alphabet[bits >> (count - 6) & 63];
    }
    if (count > 0) *to++ = alphabet[bits << (6 - count) & 63];
    *to = '\0';
    return to;
}

static char *append(char *to, const char *text) {
    return strcpy(to, text) + strlen(text);
}

/* The algorithms, and the numbers of their keys in hexadecimal digits: the curves' base points. */
static const struct {
    const char *name;
    uint32_t bit;
    unsigned hash_bits;
    size_t signature_length;
    const char *members, *x, *y;
} kinds[] = {
#define RSA "\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"", NULL, NULL
#define P256                                                                            \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"",                                        \
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",             \
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define P384                                                                            \
    "\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"",                                        \
        "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b98"                              \
        "59f741e082542a385502f25dbf55296c3a545e3872760ab7",                             \
        "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147c"                              \
        "e9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"
#define ED25519                                                                         \
    "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"",                                     \
        "5866666666666666666666666666666666666666666666666666666666666666", NULL
    {"RS256", CLAIMGATE_RS256, 256, 256, RSA}, {"RS384", CLAIMGATE_RS384, 384, 256, RSA},
    {"RS512", CLAIMGATE_RS512, 512, 256, RSA}, {"PS256", CLAIMGATE_PS256, 256, 256, RSA},
    {"PS384", CLAIMGATE_PS384, 384, 256, RSA}, {"PS512", CLAIMGATE_PS512, 512, 256, RSA},
    {"ES256", CLAIMGATE_ES256, 256, 64, P256}, {"ES384", CLAIMGATE_ES384, 384, 96, P384},
    {"EdDSA", CLAIMGATE_EDDSA, 512, 64, ED25519},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static char modulus[256], numbers[2][48];

static size_t from_hex(char *to, const char *digits) {
    size_t length = strlen(digits) / 2;
    for (size_t i = 0; i < length; i++) {
        char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
        to[i] = (char)strtoul(pair, NULL, 16);
    }
    return length;
}

/* The key set with a key of this kind. */
static const char *jwks_of(size_t kind) {
    static char jwks[1024];
    char *to = append(append(jwks, "{\"keys\":[{\"kid\":\"k\",\"alg\":\""), kinds[kind].name);
    to = append(append(to, "\","), kinds[kind].members);
    if (kinds[kind].x == NULL) {
        for (size_t i = 0; i < sizeof modulus; i++) modulus[i] = (char)(37 * i + 201);
        modulus[sizeof modulus - 1] |= 1;
        to = append_base64(to, modulus, sizeof modulus);
    } else {
        to = append_base64(to, numbers[0], from_hex(numbers[0], kinds[kind].x));
    }
    if (kinds[kind].y != NULL)
        to = append_base64(append(to, "\",\"y\":\""), numbers[1],
                           from_hex(numbers[1], kinds[kind].y));
    append(to, "\"}]}");
    return jwks;
}

/* The token that was made last, and the kind of its key. */
static char token[8192];
static size_t kind_of_token;

static claimgate_text make(const char *type, const char *claims) {
    char header[96];
    snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"%s\",\"kid\":\"k\"}",
             kinds[kind_of_token].name, type);
    char signature[256];
    memset(signature, 1, sizeof signature); /* below each order and modulus */
    char *to = append(append_base64(token, header, strlen(header)), ".");
    to = append(append_base64(to, claims, strlen(claims)), ".");
    append_base64(to, signature, kinds[kind_of_token].signature_length);
    return text(token);
}

/* Replaces the claims in the text of the token, which keeps its length. */
static void replace(const char *claims) {
    char *start = strchr(token, '.') + 1, *end = strrchr(token, '.');
    static char padded[4096];
    size_t length = (size_t)(end - start) * 6 / 8;
    memset(padded, ' ', sizeof padded);
    if (strlen(claims) > length) exit(2);
    memcpy(padded, claims, strlen(claims));
    append_base64(start, padded, length);
    *end = '.';
}

static struct {
    int verdict;
    int calls, hashes;
} peripheral = {.verdict = 1};

static int32_t accept(void *context, const claimgate_key_material *key, claimgate_text message,
                      claimgate_text signature) {
    HOLDS(context == &peripheral);
    HOLDS(key->algorithm == kinds[kind_of_token].bit);
    if (kinds[kind_of_token].x == NULL) {
        HOLDS(key->n_or_x.length == sizeof modulus &&
              memcmp(key->n_or_x.data, modulus, sizeof modulus) == 0);
        HOLDS(key->e_or_y.length == 3 && memcmp(key->e_or_y.data, "\1\0\1", 3) == 0);
    } else {
        size_t length = strlen(kinds[kind_of_token].x) / 2;
        HOLDS(key->n_or_x.length == length && memcmp(key->n_or_x.data, numbers[0], length) == 0);
        HOLDS(key->e_or_y.length == (kinds[kind_of_token].y == NULL ? 0 : length) &&
              memcmp(key->e_or_y.data, numbers[1], key->e_or_y.length) == 0);
    }
    HOLDS(message.data == token && signature.length == kinds[kind_of_token].signature_length);
    peripheral.calls++;
    return peripheral.verdict;
}

/* Stands for a hash: each octet is the number of bits by 16, plus the first octet. */
static void add(void *context, uint32_t bits, const claimgate_text *parts, size_t count,
                uint8_t *hash) {
    HOLDS(context == &peripheral && count == 1 && parts->length > 0);
    memset(hash, (int)(bits / 16) + parts->data[0], bits / 8);
    peripheral.hashes++;
}

static const claimgate_policy *policy;
static const claimgate_id_policy *id_policy;
static const claimgate_logout_policy *logout_policy;
static claimgate_issuer *issuer;
static claimgate_validation *validation;
static claimgate_access_settings access_settings;
static claimgate_id_settings id_settings;
static claimgate_logout_settings logout_settings;
static claimgate_login login;

static void no_settings(void) {
    access_settings =
        (claimgate_access_settings){.size = sizeof access_settings, .audience = text("api")};
    id_settings = (claimgate_id_settings){.size = sizeof id_settings, .client_id = text("app")};
    logout_settings =
        (claimgate_logout_settings){.size = sizeof logout_settings, .client_id = text("app")};
    login = (claimgate_login){.size = sizeof login, .nonce_rule = CLAIMGATE_NONCE_IGNORED};
}

static claimgate_code judge_access(const char *claims, uint64_t now) {
    static void *memory = NULL;
    if (memory == NULL) memory = NEW(policy);
    IS(CLAIMGATE_OK,
       claimgate_policy_init(memory, claimgate_policy_size(), &access_settings, &policy));
    const claimgate_issuer *issuers[] = {issuer};
    return claimgate_validate_access_token(validation, issuers, 1, policy,
                                           make("at+jwt", claims), NULL, NULL, now);
}

static claimgate_code judge_id(const char *claims, uint64_t now) {
    static void *memory = NULL;
    if (memory == NULL) memory = NEW(id_policy);
    IS(CLAIMGATE_OK,
       claimgate_id_policy_init(memory, claimgate_id_policy_size(), &id_settings, &id_policy));
    const claimgate_issuer *issuers[] = {issuer};
    return claimgate_validate_id_token(validation, issuers, 1, id_policy, make("JWT", claims),
                                       &login, now);
}

static claimgate_code judge_logout(const char *claims, uint64_t now) {
    static void *memory = NULL;
    if (memory == NULL) memory = NEW(logout_policy);
    IS(CLAIMGATE_OK, claimgate_logout_policy_init(memory, claimgate_logout_policy_size(),
                                                  &logout_settings, &logout_policy));
    const claimgate_issuer *issuers[] = {issuer};
    return claimgate_validate_logout_token(validation, issuers, 1, logout_policy,
                                           make("logout+jwt", claims), now);
}

static claimgate_issuer *issuer_of(const char *url) {
    claimgate_issuer_settings from = {.size = sizeof from, .url = text(url), .algorithms = 0x1ff};
    claimgate_issuer *made = NULL;
    IS(CLAIMGATE_OK, claimgate_issuer_init(NEW(issuer), claimgate_issuer_size(), &from, &made));
    return made;
}

static void make_objects(void) {
    static const claimgate_verifier own = {
        .context = &peripheral, .algorithms = 0x1ff, .verify = accept, .hash = add};
    IS(CLAIMGATE_OK, claimgate_use_verifier(&own));
    issuer = issuer_of(ISSUER);
    size_t count = 9;
    IS(CLAIMGATE_OK, claimgate_issuer_key_count(issuer, &count));
    HOLDS(count == 0);
    IS(CLAIMGATE_OK, claimgate_issuer_set_keys(issuer, text(jwks_of(0))));
    IS(CLAIMGATE_OK, claimgate_issuer_key_count(issuer, &count));
    HOLDS(count == 1);
    IS(CLAIMGATE_OK, claimgate_validation_init(NEW(validation), claimgate_validation_size(),
                                               &validation));
    no_settings();
    const size_t alignments[] = {
        claimgate_policy_align(),     claimgate_id_policy_align(), claimgate_logout_policy_align(),
        claimgate_issuer_align(),     claimgate_cache_align(),     claimgate_refresh_align(),
        claimgate_validation_align(),
    };
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++)
        HOLDS(alignments[i] >= alignof(void *) && (alignments[i] & (alignments[i] - 1)) == 0);
}

static void set_access(void) {
    claimgate_text b = text("b"), c2 = text("c2");
    claimgate_texts list_of_b = {&b, 1}, list_of_c2 = {&c2, 1};
#define AUD_B "{" OWN ",\"aud\":\"b\",\"client_id\":\"c1\"}"
    IS(CLAIMGATE_AUDIENCE_MISMATCH, judge_access(AUD_B, ISSUED));
    access_settings.other_audiences = list_of_b;
    IS(CLAIMGATE_OK, judge_access(AUD_B, ISSUED));
    no_settings();
    IS(CLAIMGATE_OK, judge_access(ACCESS "}", ISSUED));
    access_settings.authorized_parties = list_of_c2;
    IS(CLAIMGATE_AUTHORIZED_PARTY_MISMATCH, judge_access(ACCESS "}", ISSUED));
    /* The profile without an audience requires clients, and no audience. */
    void *memory = NEW(policy);
    const claimgate_policy *none = NULL;
    access_settings.profile = CLAIMGATE_PROFILE_WITHOUT_AUDIENCE;
    IS(CLAIMGATE_INVALID_SETTING,
       claimgate_policy_init(memory, claimgate_policy_size(), &access_settings, &none));
    access_settings.audience = text(NULL);
    IS(CLAIMGATE_OK,
       claimgate_policy_init(memory, claimgate_policy_size(), &access_settings, &none));
    access_settings.authorized_parties = (claimgate_texts){NULL, 0};
    IS(CLAIMGATE_INVALID_SETTING,
       claimgate_policy_init(memory, claimgate_policy_size(), &access_settings, &none));
    free(memory);
    no_settings();
#define THUMBPRINT "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
#define CERTIFICATE "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"
#define BOUND ACCESS ",\"cnf\":{\"jkt\":\"" THUMBPRINT "\"}}"
    IS(CLAIMGATE_CONFIRMATION_REQUIRED, judge_access(BOUND, ISSUED));
    access_settings.danger_ignore_confirmation = 1;
    IS(CLAIMGATE_OK, judge_access(BOUND, ISSUED));
    no_settings();
    access_settings.common.max_lifetime = (claimgate_seconds){3599, 1};
    IS(CLAIMGATE_LIFETIME_TOO_LONG, judge_access(ACCESS "}", ISSUED));
    access_settings.common.max_lifetime.seconds = 3600;
    IS(CLAIMGATE_OK, judge_access(ACCESS "}", ISSUED));
    no_settings();
    IS(CLAIMGATE_OK, judge_access(ACCESS "}", ISSUED - 60));
    IS(CLAIMGATE_ISSUED_IN_FUTURE, judge_access(ACCESS "}", ISSUED - 61));
    access_settings.common.ignore_issued_in_future = 1;
    IS(CLAIMGATE_OK, judge_access(ACCESS "}", ISSUED - 61));
    no_settings();
    claimgate_text path = text("admin");
    claimgate_claim_rule rule = {.path = {&path, 1}, .comparison = CLAIMGATE_EQUALS_BOOLEAN};
    access_settings.common.claim_rules = (claimgate_claim_rules){&rule, 1};
    IS(CLAIMGATE_OK, judge_access(ACCESS ",\"admin\":false}", ISSUED));
    IS(CLAIMGATE_CLAIM_MISMATCH, judge_access(ACCESS ",\"admin\":true}", ISSUED));
    rule.integer = 1;
    IS(CLAIMGATE_OK, judge_access(ACCESS ",\"admin\":true}", ISSUED));
    no_settings();
}

/* A claim of another kind of token is accepted with its own setting, and with no other. */
static void allow_foreign_claims(void) {
    static const struct {
        uint32_t bit;
        const char *access, *id;
    } claims[] = {
        {CLAIMGATE_ALLOW_SCOPE, NULL, ID ",\"scope\":\"a\"}"},
        {CLAIMGATE_ALLOW_PERMISSIONS, NULL, ID ",\"permissions\":[\"a\"]}"},
        {CLAIMGATE_ALLOW_GRANT_TYPE, NULL, ID ",\"gty\":\"password\"}"},
        {CLAIMGATE_ALLOW_NONCE, ACCESS ",\"nonce\":\"n\"}", NULL},
        {CLAIMGATE_ALLOW_AT_HASH, ACCESS ",\"at_hash\":\"n\"}", NULL},
        {CLAIMGATE_ALLOW_C_HASH, ACCESS ",\"c_hash\":\"n\"}", NULL},
        {CLAIMGATE_ALLOW_S_HASH, ACCESS ",\"s_hash\":\"n\"}", NULL},
        {CLAIMGATE_ALLOW_TOKEN_USE, ACCESS ",\"token_use\":\"id\"}",
         ID ",\"token_use\":\"access\"}"},
        {CLAIMGATE_ALLOW_TYP, ACCESS ",\"typ\":\"ID\"}", ID ",\"typ\":\"Bearer\"}"},
        {CLAIMGATE_ALLOW_EVENTS, ACCESS ",\"events\":{}}", ID ",\"events\":{}}"},
    };
    access_settings.common.allowed_foreign_claims = 0x3ff;
    IS(CLAIMGATE_OK, judge_access(ACCESS "}", ISSUED));
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        for (int is_allowed = 0; is_allowed < 2; is_allowed++) {
            uint32_t bits = is_allowed ? claims[i].bit : 0x3ff ^ claims[i].bit;
            access_settings.common.allowed_foreign_claims = bits;
            id_settings.common.allowed_foreign_claims = bits;
            if (claims[i].access != NULL)
                HOLDS((judge_access(claims[i].access, ISSUED) == CLAIMGATE_OK) == is_allowed);
            if (claims[i].id != NULL)
                HOLDS((judge_id(claims[i].id, ISSUED) == CLAIMGATE_OK) == is_allowed);
        }
    }
    no_settings();
}

static void set_id(void) {
    claimgate_text b = text("b"), mfa = text("mfa");
    IS(CLAIMGATE_AUDIENCE_MISMATCH, judge_id("{" OWN ",\"aud\":\"b\"}", ISSUED));
    id_settings.other_client_ids = (claimgate_texts){&b, 1};
    IS(CLAIMGATE_OK, judge_id("{" OWN ",\"aud\":\"b\"}", ISSUED));
    no_settings();
    id_settings.amr_values = (claimgate_texts){&mfa, 1};
    IS(CLAIMGATE_INSUFFICIENT_AUTHENTICATION, judge_id(ID ",\"amr\":[\"pwd\"]}", ISSUED));
    IS(CLAIMGATE_OK, judge_id(ID ",\"amr\":[\"pwd\",\"mfa\"]}", ISSUED));
    no_settings();
    IS(CLAIMGATE_CLAIM_TYPE, judge_id(ID ",\"email_verified\":\"true\"}", ISSUED));
    id_settings.accept_string_booleans = 1;
    IS(CLAIMGATE_OK, judge_id(ID ",\"email_verified\":\"true\"}", ISSUED));
    no_settings();
    void *memory = NEW(id_policy);
    const claimgate_id_policy *none = NULL;
    id_settings.accept_string_booleans = 2;
    IS(CLAIMGATE_INVALID_SETTING,
       claimgate_id_policy_init(memory, claimgate_id_policy_size(), &id_settings, &none));
    free(memory);
    no_settings();
    /* A rule of a nonce, and whether one is given, belong together. */
    login.nonce_rule = 0;
    IS(CLAIMGATE_INVALID_SETTING, judge_id(ID "}", ISSUED));
    login.nonce_rule = CLAIMGATE_NONCE_EXPECTED;
    IS(CLAIMGATE_INVALID_SETTING, judge_id(ID "}", ISSUED));
    login.nonce = text("n");
    IS(CLAIMGATE_OK, judge_id(ID ",\"nonce\":\"n\"}", ISSUED));
    login.nonce_rule = CLAIMGATE_NONCE_ABSENT;
    IS(CLAIMGATE_INVALID_SETTING, judge_id(ID "}", ISSUED));
    login.nonce_rule = CLAIMGATE_NONCE_IGNORED;
    IS(CLAIMGATE_INVALID_SETTING, judge_id(ID "}", ISSUED));
    no_settings();
    login.hashes_are_optional = 2;
    IS(CLAIMGATE_INVALID_SETTING, judge_id(ID "}", ISSUED));
    no_settings();
}

/* Each algorithm has its bit, its key and its hash. */
static void verify_each_algorithm(void) {
    for (size_t kind = 0; kind < KINDS; kind++) {
        kind_of_token = kind;
        claimgate_issuer_settings from = {
            .size = sizeof from, .url = text(ISSUER), .algorithms = kinds[kind].bit};
        IS(CLAIMGATE_OK, claimgate_issuer_init(issuer, claimgate_issuer_size(), &from, &issuer));
        for (size_t other = 0; other < KINDS; other++)
            IS(other == kind ? CLAIMGATE_OK : CLAIMGATE_NO_USABLE_KEYS,
               claimgate_issuer_set_keys(issuer, text(jwks_of(other))));
        IS(CLAIMGATE_OK, claimgate_issuer_set_keys(issuer, text(jwks_of(kind))));
        int calls = peripheral.calls;
        IS(CLAIMGATE_OK, judge_access(ACCESS "}", ISSUED));
        HOLDS(peripheral.calls == calls + 1);
        /* The left half of the hash of the access token, and of the code. */
        char claims[1024], half[64], hash[64];
        memset(half, (int)(kinds[kind].hash_bits / 16) + 'a', kinds[kind].hash_bits / 16);
        append_base64(hash, half, kinds[kind].hash_bits / 16);
        login.access_token = text("abc");
        snprintf(claims, sizeof claims, ID ",\"at_hash\":\"%s\"}", hash);
        IS(CLAIMGATE_OK, judge_id(claims, ISSUED));
        login.access_token = text("b");
        IS(CLAIMGATE_HASH_MISMATCH, judge_id(claims, ISSUED));
        no_settings();
        login.code = text("abc");
        snprintf(claims, sizeof claims, ID ",\"c_hash\":\"%s\"}", hash);
        IS(CLAIMGATE_OK, judge_id(claims, ISSUED));
        IS(CLAIMGATE_MISSING_CLAIM, judge_id(ID "}", ISSUED));
        login.hashes_are_optional = 1;
        IS(CLAIMGATE_OK, judge_id(ID "}", ISSUED));
        login.access_token = text("abc");
        IS(CLAIMGATE_OK, judge_id(claims, ISSUED));
        login.access_token = text(NULL);
        login.code = text("b");
        IS(CLAIMGATE_HASH_MISMATCH, judge_id(claims, ISSUED));
        no_settings();
    }
    HOLDS(peripheral.hashes >= 4 * (int)KINDS);
    /* A verifier for RS256 has no other keys; 0 is RS256. Without a hash function, the library
     * computes SHA-256. */
    for (uint32_t bits = 0; bits < 2; bits++) {
        claimgate_verifier only = {
            .context = &peripheral, .algorithms = bits, .verify = accept, .hash = NULL};
        IS(CLAIMGATE_OK, claimgate_use_verifier(&only));
        free(issuer);
        issuer = issuer_of(ISSUER);
        for (size_t kind = KINDS; kind-- > 0;)
            IS(kind == 0 ? CLAIMGATE_OK : CLAIMGATE_NO_USABLE_KEYS,
               claimgate_issuer_set_keys(issuer, text(jwks_of(kind))));
        kind_of_token = 0;
        login.access_token = text("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
        IS(CLAIMGATE_OK, judge_id(ID ",\"at_hash\":\"77QmUPtjPfzWtF2AnpK9RQ\"}", ISSUED));
        IS(CLAIMGATE_HASH_MISMATCH,
           judge_id(ID ",\"at_hash\":\"AAAAAAAAAAAAAAAAAAAAAA\"}", ISSUED));
        no_settings();
        IS(CLAIMGATE_OK, claimgate_use_verifier(NULL));
    }
    claimgate_verifier many[2] = {{.verify = accept}, {.verify = accept}};
    IS(CLAIMGATE_MISALIGNED,
       claimgate_use_verifier((const claimgate_verifier *)((const char *)many + 1)));
    free(issuer);
}

static void set_logout(void) {
    claimgate_text b = text("b");
#define LOGOUT_B                                                                        \
    "{\"iss\":\"" ISSUER "\",\"aud\":%s,\"iat\":1000000,\"exp\":1000100,\"sid\":\"s1\","   \
    "\"jti\":\"j1\",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}}"
    char claims[512];
    snprintf(claims, sizeof claims, LOGOUT_B, "\"b\"");
    IS(CLAIMGATE_AUDIENCE_MISMATCH, judge_logout(claims, ISSUED));
    logout_settings.other_client_ids = (claimgate_texts){&b, 1};
    IS(CLAIMGATE_OK, judge_logout(claims, ISSUED));
    no_settings();
    snprintf(claims, sizeof claims, LOGOUT_B, "[\"app\",\"b\"]");
    IS(CLAIMGATE_UNTRUSTED_AUDIENCE, judge_logout(claims, ISSUED));
    logout_settings.trusted_audiences = (claimgate_texts){&b, 1};
    IS(CLAIMGATE_OK, judge_logout(claims, ISSUED + 159));
    logout_settings.common.leeway = (claimgate_seconds){0, 1};
    IS(CLAIMGATE_EXPIRED, judge_logout(claims, ISSUED + 159));
    no_settings();
    IS(CLAIMGATE_MISSING_CLAIM, judge_logout(LOGOUT ",\"sid\":\"s1\"}", ISSUED));
    logout_settings.max_age_without_expiry = (claimgate_seconds){120, 1};
    IS(CLAIMGATE_OK, judge_logout(LOGOUT ",\"sid\":\"s1\"}", ISSUED));
}

static int shows(uint32_t which, const char *expected) {
    claimgate_text shown = text(NULL);
    return claimgate_token_text(validation, which, &shown) == CLAIMGATE_OK &&
           shown.length == strlen(expected) && memcmp(shown.data, expected, shown.length) == 0;
}

static int shows_time(uint32_t which, uint64_t expected) {
    uint64_t seconds = 0;
    return claimgate_token_time(validation, which, &seconds) == CLAIMGATE_OK &&
           seconds == expected;
}

static void show_claims(void) {
    claimgate_text shown;
    uint64_t seconds = 0;
    char buffer[64];
    size_t length = 0;
    IS(CLAIMGATE_OK, judge_access(ACCESS ",\"azp\":\"c1\",\"jti\":\"j1\",\"auth_time\":999999,"
                                         "\"scope\":\"a bc\"}", ISSUED));
    HOLDS(shows(CLAIMGATE_ISSUER, ISSUER) && shows(CLAIMGATE_SUBJECT, "user|1"));
    HOLDS(shows(CLAIMGATE_CLIENT, "c1") && shows(CLAIMGATE_AUTHORIZED_PARTY, "c1"));
    HOLDS(shows(CLAIMGATE_TOKEN_ID, "j1") && shows(CLAIMGATE_KEY_ID, "k"));
    IS(CLAIMGATE_INVALID_SETTING, claimgate_token_text(validation, CLAIMGATE_SESSION_ID, &shown));
    IS(CLAIMGATE_INVALID_SETTING, claimgate_token_text(validation, CLAIMGATE_NONCE, &shown));
    HOLDS(shows_time(CLAIMGATE_EXPIRY, EXPIRES) && shows_time(CLAIMGATE_ISSUED_AT, ISSUED));
    HOLDS(shows_time(CLAIMGATE_AUTH_TIME, ISSUED - 1));
    IS(CLAIMGATE_INVALID_SETTING, claimgate_token_time(validation, 4, &seconds));
    IS(CLAIMGATE_OK, claimgate_require_scope(validation, text("bc")));
    IS(CLAIMGATE_OK, claimgate_scope(validation, buffer, 4, &length));
    HOLDS(length == 4 && memcmp(buffer, "a bc", 4) == 0);
    IS(CLAIMGATE_INVALID_LENGTH, claimgate_scope(validation, buffer, SIZE_MAX, &length));
    IS(CLAIMGATE_INVALID_LENGTH,
       claimgate_scope(validation, buffer, (size_t)PTRDIFF_MAX + 1, &length));
    IS(CLAIMGATE_NULL_POINTER, claimgate_scope(validation, buffer, sizeof buffer, NULL));
    IS(CLAIMGATE_NO_TOKEN, claimgate_id_valid_until(validation, id_policy, &seconds));
    IS(CLAIMGATE_OK, judge_access("{" OWN ",\"aud\":[\"x\",\"api\"],\"azp\":\"c2\"}", ISSUED));
    HOLDS(shows(CLAIMGATE_CLIENT, "c2"));
    IS(CLAIMGATE_CLAIM_ABSENT, claimgate_token_text(validation, CLAIMGATE_TOKEN_ID, &shown));
    IS(CLAIMGATE_CLAIM_ABSENT, claimgate_token_time(validation, CLAIMGATE_AUTH_TIME, &seconds));
    IS(CLAIMGATE_OK, claimgate_audience(validation, 1, &shown));
    HOLDS(shown.length == 3 && memcmp(shown.data, "api", 3) == 0);
    IS(CLAIMGATE_CLAIM_ABSENT, claimgate_audience(validation, 2, &shown));
    IS(CLAIMGATE_MISALIGNED,
       claimgate_token_time(validation, CLAIMGATE_EXPIRY,
                            (uint64_t *)(buffer + 1 - (uintptr_t)buffer % 8 + 8)));
    IS(CLAIMGATE_OK, judge_id(ID ",\"nonce\":\"n\",\"auth_time\":999999}", ISSUED));
    HOLDS(shows(CLAIMGATE_SUBJECT, "user|1") && shows(CLAIMGATE_NONCE, "n"));
    HOLDS(shows_time(CLAIMGATE_EXPIRY, EXPIRES) && shows_time(CLAIMGATE_AUTH_TIME, ISSUED - 1));
    IS(CLAIMGATE_INVALID_SETTING, claimgate_token_text(validation, CLAIMGATE_CLIENT, &shown));
    IS(CLAIMGATE_NO_TOKEN, claimgate_scope(validation, buffer, sizeof buffer, &length));
    IS(CLAIMGATE_NO_TOKEN, claimgate_valid_until(validation, policy, &seconds));
    IS(CLAIMGATE_OK, claimgate_id_valid_until(validation, id_policy, &seconds));
    HOLDS(seconds == EXPIRES + 60);
    IS(CLAIMGATE_OK,
       judge_logout(LOGOUT ",\"sub\":\"user|1\",\"sid\":\"s1\",\"exp\":1000100}", ISSUED));
    HOLDS(shows(CLAIMGATE_SUBJECT, "user|1") && shows(CLAIMGATE_SESSION_ID, "s1"));
    HOLDS(shows_time(CLAIMGATE_EXPIRY, ISSUED + 100));
    IS(CLAIMGATE_OK, judge_logout(LOGOUT ",\"sid\":\"s1\"}", ISSUED));
    IS(CLAIMGATE_CLAIM_ABSENT, claimgate_token_text(validation, CLAIMGATE_SUBJECT, &shown));
    IS(CLAIMGATE_CLAIM_ABSENT, claimgate_token_time(validation, CLAIMGATE_EXPIRY, &seconds));
    IS(CLAIMGATE_NO_TOKEN, claimgate_id_valid_until(validation, id_policy, &seconds));
}

static claimgate_texts path_of(const char *names) {
    static char copy[64];
    static claimgate_text path[5];
    size_t count = 0;
    strcpy(copy, names);
    for (char *name = strtok(copy, " "); name != NULL; name = strtok(NULL, " "))
        path[count++] = text(name);
    return (claimgate_texts){path, count};
}

static claimgate_code string_of(const char *names, const char *expected) {
    static char buffer[64];
    size_t length = 0;
    memset(buffer, '#', sizeof buffer);
    claimgate_code code =
        claimgate_claim_string(validation, path_of(names), buffer, sizeof buffer, &length);
    if (code == CLAIMGATE_OK)
        HOLDS(length == strlen(expected) && memcmp(buffer, expected, length) == 0 &&
              buffer[length] == '#');
    return code;
}

static claimgate_code integer_of(const char *names, int64_t expected) {
    int64_t integer = 0;
    claimgate_code code = claimgate_claim_integer(validation, path_of(names), &integer);
    HOLDS(code != CLAIMGATE_OK || integer == expected);
    return code;
}

static claimgate_code boolean_of(const char *names, int32_t expected) {
    int32_t boolean = 9;
    claimgate_code code = claimgate_claim_boolean(validation, path_of(names), &boolean);
    HOLDS(code != CLAIMGATE_OK || boolean == expected);
    return code;
}

static void read_by_name(void) {
    IS(CLAIMGATE_OK,
       judge_access(" {" OWN ",\"aud\":\"api\",\"client_id\" : \"c1\" ,\n\t"
                    "\"skipped\\\"}\":[\"]\\\"\","
                    "{\"deep\":[[]]},1.5],\"simple\":\"\\b\\f\\n\\r\\t\\\"\\\\\\/\","
                    "\"letters\":\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\udbff\\udfff"
                    "\\ud800\\udc00\","
                    "\"alphabet\":\">>>>>?????~~~~~\",\"empty\":\"\","
                    "\"a\":{\"b\":{\"c\":{\"d\":\"inner\",\"e\":1}},\"x\":\"}\"},\"d\":\"outer\","
                    "\"yes\":true,\"no\":false,\"nothing\":null,\"zero\":0,\"negative\":-7,"
                    "\"least\":-9007199254740991,\"fraction\":1.5,\"power\":1e3,\"r\":7\r}",
                    ISSUED));
    IS(CLAIMGATE_OK, string_of("simple", "\b\f\n\r\t\"\\/"));
    IS(CLAIMGATE_OK, string_of("letters", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"
                                          "\xf0\x90\x80\x80"));
    IS(CLAIMGATE_OK, string_of("alphabet", ">>>>>?????~~~~~"));
    IS(CLAIMGATE_OK, string_of("empty", ""));
    IS(CLAIMGATE_OK, string_of("client_id", "c1"));
    IS(CLAIMGATE_OK, string_of("a b c d", "inner"));
    IS(CLAIMGATE_OK, string_of("a x", "}"));
    IS(CLAIMGATE_OK, string_of("d", "outer"));
    IS(CLAIMGATE_CLAIM_ABSENT, string_of("a c", ""));
    IS(CLAIMGATE_CLAIM_ABSENT, string_of("b", ""));
    IS(CLAIMGATE_CLAIM_ABSENT, string_of("simpl", ""));
    IS(CLAIMGATE_CLAIM_ABSENT, string_of("simples", ""));
    IS(CLAIMGATE_CLAIM_TYPE, string_of("zero", ""));
    IS(CLAIMGATE_CLAIM_TYPE, string_of("nothing", ""));
    IS(CLAIMGATE_CLAIM_TYPE, string_of("a", ""));
    IS(CLAIMGATE_CLAIM_TYPE, string_of("yes no", ""));
    IS(CLAIMGATE_OK, integer_of("zero", 0));
    IS(CLAIMGATE_OK, integer_of("negative", -7));
    IS(CLAIMGATE_OK, integer_of("least", -9007199254740991));
    IS(CLAIMGATE_OK, integer_of("a b c e", 1));
    IS(CLAIMGATE_OK, integer_of("r", 7));
    IS(CLAIMGATE_CLAIM_TYPE, integer_of("fraction", 0));
    IS(CLAIMGATE_CLAIM_TYPE, integer_of("power", 0));
    IS(CLAIMGATE_CLAIM_TYPE, integer_of("empty", 0));
    IS(CLAIMGATE_CLAIM_TYPE, integer_of("yes", 0));
    IS(CLAIMGATE_OK, boolean_of("yes", 1));
    IS(CLAIMGATE_OK, boolean_of("no", 0));
    IS(CLAIMGATE_CLAIM_TYPE, boolean_of("nothing", 0));
    /* The text of the token changed: no other value, and no value that the token lacks. */
    replace("{\"simple\":\"other\",\"zero\":1,\"yes\":false,\"no\":true,\"new\":\"x\"}");
    IS(CLAIMGATE_CLAIM_MISMATCH, string_of("simple", ""));
    IS(CLAIMGATE_CLAIM_MISMATCH, string_of("new", ""));
    IS(CLAIMGATE_CLAIM_MISMATCH, integer_of("zero", 0));
    IS(CLAIMGATE_CLAIM_MISMATCH, boolean_of("yes", 0));
    IS(CLAIMGATE_CLAIM_MISMATCH, boolean_of("no", 0));
    char exact[5];
    size_t length = 0;
    IS(CLAIMGATE_CLAIM_MISMATCH,
       claimgate_claim_string(validation, path_of("simple"), exact, sizeof exact, &length));
    IS(CLAIMGATE_BUFFER_TOO_SMALL,
       claimgate_claim_string(validation, path_of("simple"), exact, sizeof exact - 1, &length));
    /* Nor a value that is not UTF-8: it was not confirmed. */
    length = 9;
    replace("{\"simple\":\"root\xff\"}");
    IS(CLAIMGATE_NOT_UTF8,
       claimgate_claim_string(validation, path_of("simple"), exact, sizeof exact, &length));
    HOLDS(length == 0);
    IS(CLAIMGATE_NOT_UTF8, string_of("simple", ""));
    static const char *const broken[] = {
        "{\"simple\" 1}", "{\"simple", "{\"simple\":\"", "{\"simple\":\"\\", "{\"simple\":\"\\u12",
        "{\"simple\":\"\\u12g4\"}", "{\"simple\":\"\\udc00\"}", "{\"simple\":\"\\ud83d\"}",
        "{\"simple\":\"\\ud83d\\n\"}", "{\"simple\":\"\\ud83d\\ud83d\"}",
        "{\"simple\":\"\\ud83dxude00\"}", "{\"simple\":\"\\ud83d\\xde00\"}",
        "{\"simple\":\"\\ud83d\\ue000\"}", "{1:1}", "{\"x\":[", "{\"x\":1", "{\"x\":1,",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        replace(broken[i]);
        IS(CLAIMGATE_INVALID_JSON, string_of("simple", ""));
    }
    replace("[]");
    IS(CLAIMGATE_CLAIM_TYPE, string_of("simple", ""));
    replace("{\"zero\":123456789012345678901,\"no\":9223372036854775808}");
    IS(CLAIMGATE_CLAIM_TYPE, integer_of("zero", 0));
    IS(CLAIMGATE_CLAIM_TYPE, integer_of("no", 0));
    memset(token, 'A', strlen(token));
    IS(CLAIMGATE_MALFORMED_TOKEN, string_of("simple", ""));
    /* Payloads of each length by three, to their last octet. */
    static const char *const ends[] = {ACCESS ",\"end\":1}", ACCESS ",\"end\":12}",
                                       ACCESS ",\"end\":123}"};
    for (size_t i = 0; i < 3; i++) {
        IS(CLAIMGATE_OK, judge_access(ends[i], ISSUED));
        IS(CLAIMGATE_OK, integer_of("end", i == 0 ? 1 : i == 1 ? 12 : 123));
        IS(CLAIMGATE_CLAIM_ABSENT, integer_of("ends", 0));
    }
    /* There is no token, and no text of one, after a rejected token and after a refused call. */
    IS(CLAIMGATE_EXPIRED, judge_access(ACCESS "}", EXPIRES + 60));
    IS(CLAIMGATE_NO_TOKEN, string_of("sub", ""));
    const claimgate_issuer *issuers[] = {issuer};
    IS(CLAIMGATE_OK, judge_access(ACCESS "}", ISSUED));
    IS(CLAIMGATE_NULL_POINTER, claimgate_validate_access_token(validation, issuers, 1, NULL,
                                                               text(token), NULL, NULL, ISSUED));
    IS(CLAIMGATE_NO_TOKEN,
       claimgate_claim_string(validation, path_of("sub"), token, sizeof token, &length));
}

static void set_issuers(void) {
    claimgate_issuer_settings from = {.size = sizeof from, .url = text("")};
    void *memory = NEW(issuer);
    claimgate_issuer *none = NULL;
#define INIT claimgate_issuer_init(memory, claimgate_issuer_size(), &from, &none)
    IS(CLAIMGATE_EMPTY_IDENTIFIER, INIT);
    from.url = text(ISSUER);
    from.algorithms = 512;
    IS(CLAIMGATE_INVALID_SETTING, INIT);
    from.algorithms = CLAIMGATE_RS256;
    claimgate_text tenants[100];
    for (size_t i = 0; i < 100; i++) tenants[i] = text("t1");
    from.tenants = (claimgate_texts){tenants, 1};
    static const char *const wrong[] = {ISSUER, "https://{tenantid}/{tenantid}/", "{tenantid}/"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        from.url = text(wrong[i]);
        IS(CLAIMGATE_TENANT_TEMPLATE, INIT);
    }
    from.url = text("https://login.example/{tenantid}/");
    IS(CLAIMGATE_OK, INIT);
    from.danger_any_tenant = 1;
    IS(CLAIMGATE_INVALID_SETTING, INIT);
    from.danger_any_tenant = 0;
    from.tenants.count = 0;
    IS(CLAIMGATE_EMPTY_LIST, INIT);
    from.tenants.count = 100;
    IS(CLAIMGATE_TOO_MANY_SETTINGS, INIT);
    from.tenants.count = 2;
    tenants[1] = text("");
    IS(CLAIMGATE_EMPTY_IDENTIFIER, INIT);
    tenants[1] = text(NULL);
    IS(CLAIMGATE_NULL_POINTER, INIT);
    from.tenants = (claimgate_texts){NULL, 0};
    from.danger_any_tenant = 2;
    IS(CLAIMGATE_INVALID_SETTING, INIT);
    from.danger_any_tenant = 1;
    IS(CLAIMGATE_OK, INIT);
    IS(CLAIMGATE_OK, claimgate_issuer_set_keys(none, text(jwks_of(0))));
    size_t count = 9;
    IS(CLAIMGATE_OK, claimgate_issuer_key_count(none, &count));
    HOLDS(count == 1);
#define TENANT                                                                          \
    "{\"iss\":\"https://login.example/t1/\",\"tid\":\"%s\",\"sub\":\"u\",\"aud\":\"api\"," \
    "\"client_id\":\"c1\",\"iat\":1000000,\"exp\":1003600}"
    char claims[512];
    issuer = none;
    snprintf(claims, sizeof claims, TENANT, "t1");
    IS(CLAIMGATE_OK, judge_access(claims, ISSUED));
    snprintf(claims, sizeof claims, TENANT, "t2");
    HOLDS(judge_access(claims, ISSUED) != CLAIMGATE_OK);
    /* Several issuers: the one that `iss` names, none of many tenants, and at most eight. */
    const claimgate_issuer *issuers[9];
    claimgate_issuer *made[9];
    for (size_t i = 0; i < 9; i++) {
        char *url = memory_of(40, 1); /* must exist as long as the issuer */
        snprintf(url, 40, "https://issuer%u.example/", (unsigned)i);
        issuers[i] = made[i] = issuer_of(url);
    }
    claimgate_text given = text(token);
#define AMONG(n)                                                                        \
    claimgate_validate_access_token(validation, issuers, n, policy, given, NULL, NULL, ISSUED)
    IS(CLAIMGATE_NO_USABLE_KEYS, AMONG(2));
    for (size_t i = 0; i < 9; i++)
        IS(CLAIMGATE_OK, claimgate_issuer_set_keys(made[i], text(jwks_of(0))));
    for (unsigned i = 0; i < 9; i++) {
        snprintf(claims, sizeof claims,
                 "{\"iss\":\"https://issuer%u.example/\",\"sub\":\"u\",\"aud\":\"api\","
                 "\"client_id\":\"c1\",\"iat\":1000000,\"exp\":1003600}", i);
        given = make("at+jwt", claims);
        IS(i < 8 ? CLAIMGATE_OK : CLAIMGATE_UNKNOWN_ISSUER, AMONG(8));
        IS(i < 2 ? CLAIMGATE_OK : CLAIMGATE_UNKNOWN_ISSUER, AMONG(2));
    }
    IS(CLAIMGATE_TOO_MANY_SETTINGS, AMONG(9));
    IS(CLAIMGATE_NULL_POINTER, claimgate_validate_access_token(validation, NULL, 0, policy, given,
                                                               NULL, NULL, ISSUED));
    issuers[1] = none;
    IS(CLAIMGATE_INVALID_SETTING, AMONG(2));
    /* Not an issuer. */
    claimgate_issuer *other = (claimgate_issuer *)validation;
    IS(CLAIMGATE_NOT_AN_OBJECT, claimgate_issuer_set_keys(other, text(jwks_of(0))));
    IS(CLAIMGATE_NOT_AN_OBJECT, claimgate_issuer_withdraw_keys(other));
    IS(CLAIMGATE_NOT_AN_OBJECT, claimgate_issuer_key_count(other, &count));
    IS(CLAIMGATE_NULL_POINTER, claimgate_issuer_key_count(none, NULL));
    for (size_t i = 0; i < 9; i++) free(made[i]);
    free(memory);
    issuer = issuer_of(ISSUER);
    IS(CLAIMGATE_OK, claimgate_issuer_set_keys(issuer, text(jwks_of(0))));
}

static void use_caches(void) {
    /* One bucket at least, and further ones for many tokens. */
    size_t least = claimgate_cache_size(0);
    HOLDS(least == claimgate_cache_size(1) && least < claimgate_cache_size(64));
    claimgate_cache *cache = NULL;
    void *memory = memory_of(least, claimgate_cache_align());
    IS(CLAIMGATE_OK, claimgate_cache_init(memory, least, 0, &cache));
    const claimgate_issuer *issuers[] = {issuer};
#define CACHED                                                                          \
    claimgate_validate_access_token(validation, issuers, 1, policy, text(token), NULL, cache,  \
                                    ISSUED)
    IS(CLAIMGATE_OK, judge_access(ACCESS "}", ISSUED));
    IS(CLAIMGATE_OK, CACHED);
    IS(CLAIMGATE_OK, CACHED);
    uint64_t hits = 9, misses = 9, evictions = 9;
    IS(CLAIMGATE_OK, claimgate_cache_counters(cache, &hits, &misses, &evictions));
    HOLDS(hits == 1 && misses == 1 && evictions == 0);
    IS(CLAIMGATE_NULL_POINTER, claimgate_cache_counters(cache, NULL, &misses, &evictions));
    IS(CLAIMGATE_NULL_POINTER, claimgate_cache_counters(cache, &hits, NULL, &evictions));
    IS(CLAIMGATE_NULL_POINTER, claimgate_cache_counters(cache, &hits, &misses, NULL));
    claimgate_cache *other = (claimgate_cache *)validation;
    IS(CLAIMGATE_NOT_AN_OBJECT, claimgate_cache_counters(other, &hits, &misses, &evictions));
    IS(CLAIMGATE_NOT_AN_OBJECT,
       claimgate_validate_access_token(validation, issuers, 1, policy, text(token), NULL, other,
                                       ISSUED));
    IS(CLAIMGATE_OVERLAP, claimgate_cache_counters(cache, (uint64_t *)memory, &misses, &evictions));
    uint64_t *last = (uint64_t *)((char *)memory + least - 8);
    IS(CLAIMGATE_OVERLAP, claimgate_cache_counters(cache, &hits, last, &evictions));
    IS(CLAIMGATE_OVERLAP, claimgate_cache_counters(cache, &hits, &misses, last));
    IS(CLAIMGATE_OVERLAP, claimgate_cache_init(memory, least, 0, (claimgate_cache **)last));
    IS(CLAIMGATE_OVERLAP,
       claimgate_validate_access_token(validation, issuers, 1, policy,
                                       ((claimgate_text){(char *)last, 8}), NULL, cache, ISSUED));
    /* A cache that is none any more shows no token. */
    claimgate_text shown;
    IS(CLAIMGATE_OK, CACHED);
    IS(CLAIMGATE_OK, claimgate_token_text(validation, CLAIMGATE_SUBJECT, &shown));
    memset(memory, 0, sizeof(size_t));
    IS(CLAIMGATE_NO_TOKEN, claimgate_token_text(validation, CLAIMGATE_SUBJECT, &shown));
    free(memory);
}

static void set_refreshes(void) {
    claimgate_refresh_settings durations = {.size = sizeof durations,
                                            .max_age = {1000, 1},
                                            .cool_down = {100, 1},
                                            .max_back_off = {300, 1}};
    claimgate_refresh *refresh = NULL;
    void *memory = NEW(refresh);
    uint64_t wait[2] = {9, 9};
    IS(CLAIMGATE_OK,
       claimgate_refresh_init(memory, claimgate_refresh_size(), &durations, &refresh));
    IS(CLAIMGATE_OK, claimgate_refresh_complete(refresh, CLAIMGATE_OK, 5000));
    IS(CLAIMGATE_OK, claimgate_refresh_on_schedule(refresh, 5000, wait));
    HOLDS(wait[0] == 1000);
    IS(CLAIMGATE_OK, claimgate_refresh_on_refusal(refresh, CLAIMGATE_UNKNOWN_KEY, 5001, wait));
    HOLDS(wait[0] == 99);
    IS(CLAIMGATE_OK, claimgate_refresh_on_refusal(refresh, CLAIMGATE_UNKNOWN_KEY, 5099, wait));
    HOLDS(wait[0] == 1);
    /* Each failure doubles the wait, up to the longest. */
    static const uint64_t waits[] = {100, 200, 300, 300};
    uint64_t now = 6000;
    for (size_t i = 0; i < 4; i++) {
        IS(CLAIMGATE_OK, claimgate_refresh_on_schedule(refresh, now, wait));
        HOLDS(wait[0] == 0);
        IS(CLAIMGATE_OK, i % 2 == 0 ? claimgate_refresh_failed(refresh, now)
                                    : claimgate_refresh_complete(refresh, CLAIMGATE_INVALID_JSON,
                                                                 now));
        IS(CLAIMGATE_OK, claimgate_refresh_on_schedule(refresh, now, wait));
        HOLDS(wait[0] == waits[i]);
        now += waits[i];
    }
    IS(CLAIMGATE_OK, claimgate_refresh_check_stale(refresh, 5000 + 86399));
    IS(CLAIMGATE_STALE_KEYS, claimgate_refresh_check_stale(refresh, 5000 + 86400));
    uint64_t *misaligned = (uint64_t *)((char *)wait + 1);
    IS(CLAIMGATE_MISALIGNED, claimgate_refresh_on_schedule(refresh, now, misaligned));
    IS(CLAIMGATE_OVERLAP, claimgate_refresh_on_schedule(refresh, now, (uint64_t *)memory + 1));
    claimgate_refresh *other = (claimgate_refresh *)validation;
    IS(CLAIMGATE_NOT_AN_OBJECT, claimgate_refresh_on_schedule(other, now, wait));
    IS(CLAIMGATE_NOT_AN_OBJECT, claimgate_refresh_complete(other, CLAIMGATE_OK, now));
    IS(CLAIMGATE_NOT_AN_OBJECT, claimgate_refresh_failed(other, now));
    IS(CLAIMGATE_NOT_AN_OBJECT, claimgate_refresh_check_stale(other, now));
    /* A refused call begins no fetch. */
    IS(CLAIMGATE_NULL_POINTER, claimgate_refresh_on_schedule(refresh, now, NULL));
    IS(CLAIMGATE_OK, claimgate_refresh_on_schedule(refresh, now, wait));
    HOLDS(wait[0] == 0);
    IS(CLAIMGATE_OVERLAP, claimgate_refresh_init(memory, claimgate_refresh_size(), &durations,
                                                 (claimgate_refresh **)memory));
    IS(CLAIMGATE_OVERLAP,
       claimgate_refresh_init(memory, claimgate_refresh_size(), memory, &refresh));
    free(memory);
}

/* Where an object is initialised, none of the other arguments is. */
static void initialise_over_arguments(void) {
    const size_t sizes[] = {claimgate_policy_size(),        claimgate_id_policy_size(),
                            claimgate_logout_policy_size(), claimgate_issuer_size(),
                            claimgate_validation_size()};
    size_t size = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i] > size) size = sizes[i];
    char *memory = memory_of(size, alignof(max_align_t));
    claimgate_text inside = {memory + 512, 3};
    claimgate_texts list_inside = {(claimgate_text *)(memory + 512), 1};
    memset(memory, 'a', size);
    void *place = memory + 512;
    const claimgate_policy *made = NULL;
    const claimgate_id_policy *made_id = NULL;
    const claimgate_logout_policy *made_logout = NULL;
    claimgate_issuer *made_issuer = NULL;
    no_settings();
#define ACCESS_INIT(s, p) claimgate_policy_init(memory, size, s, p)
    IS(CLAIMGATE_OVERLAP, ACCESS_INIT(&access_settings, place));
    IS(CLAIMGATE_OVERLAP, ACCESS_INIT(place, &made));
    IS(CLAIMGATE_OVERLAP, ACCESS_INIT((void *)memory, &made));
    IS(CLAIMGATE_MISALIGNED,
       ACCESS_INIT((claimgate_access_settings *)((char *)&access_settings + 1), &made));
    access_settings.audience = inside;
    IS(CLAIMGATE_OVERLAP, ACCESS_INIT(&access_settings, &made));
    no_settings();
    access_settings.other_audiences = list_inside;
    IS(CLAIMGATE_OVERLAP, ACCESS_INIT(&access_settings, &made));
    access_settings.other_audiences = (claimgate_texts){&inside, 1};
    IS(CLAIMGATE_OVERLAP, ACCESS_INIT(&access_settings, &made));
    no_settings();
    access_settings.scopes_all = list_inside;
    IS(CLAIMGATE_OVERLAP, ACCESS_INIT(&access_settings, &made));
    no_settings();
    access_settings.common.claim_rules =
        (claimgate_claim_rules){(claimgate_claim_rule *)(memory + 512), 1};
    IS(CLAIMGATE_OVERLAP, ACCESS_INIT(&access_settings, &made));
    claimgate_text name = text("a");
    claimgate_claim_rule rule = {
        .path = {&name, 1}, .comparison = CLAIMGATE_EQUALS, .text = inside};
    access_settings.common.claim_rules = (claimgate_claim_rules){&rule, 1};
    IS(CLAIMGATE_OVERLAP, ACCESS_INIT(&access_settings, &made));
    no_settings();
    IS(CLAIMGATE_OVERLAP, claimgate_id_policy_init(memory, size, &id_settings, place));
    IS(CLAIMGATE_OVERLAP, claimgate_id_policy_init(memory, size, place, &made_id));
    id_settings.client_id = inside;
    IS(CLAIMGATE_OVERLAP, claimgate_id_policy_init(memory, size, &id_settings, &made_id));
    IS(CLAIMGATE_OVERLAP, claimgate_logout_policy_init(memory, size, &logout_settings, place));
    IS(CLAIMGATE_OVERLAP, claimgate_logout_policy_init(memory, size, place, &made_logout));
    logout_settings.client_id = inside;
    IS(CLAIMGATE_OVERLAP,
       claimgate_logout_policy_init(memory, size, &logout_settings, &made_logout));
    no_settings();
    claimgate_issuer_settings from = {.size = sizeof from, .url = text(ISSUER)};
    IS(CLAIMGATE_OVERLAP, claimgate_issuer_init(memory, size, &from, place));
    IS(CLAIMGATE_OVERLAP, claimgate_issuer_init(memory, size, place, &made_issuer));
    from.url = inside;
    IS(CLAIMGATE_OVERLAP, claimgate_issuer_init(memory, size, &from, &made_issuer));
    from.url = text("https://login.example/{tenantid}/");
    from.tenants = list_inside;
    IS(CLAIMGATE_OVERLAP, claimgate_issuer_init(memory, size, &from, &made_issuer));
    from.tenants = (claimgate_texts){&inside, 1};
    IS(CLAIMGATE_OVERLAP, claimgate_issuer_init(memory, size, &from, &made_issuer));
    IS(CLAIMGATE_OVERLAP, claimgate_validation_init(memory, size, place));
    /* Nor is a text where the address of the object is written. */
    access_settings.audience = (claimgate_text){(char *)&made, 3};
    IS(CLAIMGATE_OVERLAP, ACCESS_INIT(&access_settings, &made));
    id_settings.client_id = (claimgate_text){(char *)&made_id, 3};
    IS(CLAIMGATE_OVERLAP, claimgate_id_policy_init(memory, size, &id_settings, &made_id));
    logout_settings.client_id = (claimgate_text){(char *)&made_logout, 3};
    IS(CLAIMGATE_OVERLAP,
       claimgate_logout_policy_init(memory, size, &logout_settings, &made_logout));
    no_settings();
    from.url = (claimgate_text){(char *)&made_issuer, 3};
    IS(CLAIMGATE_OVERLAP, claimgate_issuer_init(memory, size, &from, &made_issuer));
    HOLDS(made == NULL && made_id == NULL && made_logout == NULL && made_issuer == NULL);
    free(memory);
}

/* The validation that is written to contains none of the other arguments. */
static void validate_over_arguments(void) {
    const claimgate_issuer *issuers[] = {issuer};
    char *within = (char *)validation + 64;
    claimgate_text inside = {within, 3};
    IS(CLAIMGATE_OK, judge_logout(LOGOUT ",\"sid\":\"s1\",\"exp\":1000100}", ISSUED));
    IS(CLAIMGATE_OK, judge_id(ID "}", ISSUED));
    IS(CLAIMGATE_OK, judge_access(ACCESS "}", ISSUED));
    claimgate_text given = text(token);
#define VALIDATE(i, p, t, k)                                                            \
    claimgate_validate_access_token(validation, i, 1, p, t, k, NULL, ISSUED)
    IS(CLAIMGATE_OVERLAP, VALIDATE((void *)within, policy, given, NULL));
    IS(CLAIMGATE_OVERLAP, VALIDATE(issuers, (void *)within, given, NULL));
    IS(CLAIMGATE_OVERLAP, VALIDATE(issuers, policy, inside, NULL));
    const claimgate_issuer *not_apart[] = {(claimgate_issuer *)validation};
    IS(CLAIMGATE_OVERLAP, VALIDATE(not_apart, policy, given, NULL));
    /* An empty text overlaps nothing, and neither does one that ends where an object begins. */
    IS(CLAIMGATE_MALFORMED_TOKEN,
       VALIDATE(issuers, policy, ((claimgate_text){within, 0}), NULL));
    claimgate_request_key keys[2] = {{inside, text(NULL)}, {text(NULL), inside}};
    IS(CLAIMGATE_OVERLAP, VALIDATE(issuers, policy, given, &keys[0]));
    IS(CLAIMGATE_OVERLAP, VALIDATE(issuers, policy, given, &keys[1]));
    IS(CLAIMGATE_OVERLAP, VALIDATE(issuers, policy, given, (void *)within));
    IS(CLAIMGATE_MISALIGNED,
       VALIDATE(issuers, policy, given, (claimgate_request_key *)((char *)keys + 1)));
    keys[0] = (claimgate_request_key){text(CERTIFICATE), text(THUMBPRINT)};
    keys[1] = (claimgate_request_key){text(THUMBPRINT), text(CERTIFICATE)};
    given = make("at+jwt", ACCESS ",\"cnf\":{\"jkt\":\"" THUMBPRINT "\",\"x5t#S256\":\"" CERTIFICATE
                                  "\"}}");
    IS(CLAIMGATE_OK, VALIDATE(issuers, policy, given, &keys[0]));
    IS(CLAIMGATE_CONFIRMATION_MISMATCH, VALIDATE(issuers, policy, given, &keys[1]));
#define VALIDATE_ID(p, t, l) claimgate_validate_id_token(validation, issuers, 1, p, t, l, ISSUED)
    no_settings();
    IS(CLAIMGATE_OVERLAP, VALIDATE_ID(id_policy, inside, &login));
    IS(CLAIMGATE_OVERLAP, VALIDATE_ID((void *)within, given, &login));
    IS(CLAIMGATE_OVERLAP, VALIDATE_ID(id_policy, given, (void *)within));
    IS(CLAIMGATE_OVERLAP, claimgate_validate_id_token(validation, not_apart, 1, id_policy, given,
                                                      &login, ISSUED));
    IS(CLAIMGATE_OVERLAP, claimgate_validate_logout_token(validation, not_apart, 1, logout_policy,
                                                          given, ISSUED));
    IS(CLAIMGATE_NULL_POINTER, VALIDATE_ID(id_policy, given, NULL));
    IS(CLAIMGATE_MISSING_TOKEN, VALIDATE_ID(id_policy, text(NULL), &login));
    claimgate_text *const texts[] = {&login.nonce, &login.access_token, &login.code,
                                     &login.organization};
    for (size_t i = 0; i < 4; i++) {
        no_settings();
        *texts[i] = inside;
        if (i == 0) login.nonce_rule = CLAIMGATE_NONCE_EXPECTED;
        IS(CLAIMGATE_OVERLAP, VALIDATE_ID(id_policy, given, &login));
    }
    no_settings();
    /* Those of a client, and a token, are refused if they are not UTF-8. */
    IS(CLAIMGATE_INVALID_BASE64, VALIDATE_ID(id_policy, text("a.b.\xff"), &login));
    claimgate_text *const of_a_client[] = {&login.access_token, &login.code};
    static const char *const hashes[] = {",\"at_hash\":\"AAAA\"}", ",\"c_hash\":\"AAAA\"}"};
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t is_optional = 0; is_optional < 2; is_optional++) {
            no_settings();
            login.hashes_are_optional = is_optional;
            *of_a_client[i] = text("a\xff");
            IS(CLAIMGATE_MISSING_CLAIM, VALIDATE_ID(id_policy, make("JWT", ID "}"), &login));
            char claims[512];
            snprintf(claims, sizeof claims, "%s%s", ID, hashes[i]);
            IS(CLAIMGATE_HASH_MISMATCH, VALIDATE_ID(id_policy, make("JWT", claims), &login));
        }
    }
    no_settings();
    given = text(token);
    login.organization = text("a\xff");
    IS(CLAIMGATE_NOT_UTF8, VALIDATE_ID(id_policy, given, &login));
    no_settings();
#define VALIDATE_LOGOUT(p, t) claimgate_validate_logout_token(validation, issuers, 1, p, t, ISSUED)
    IS(CLAIMGATE_OVERLAP, VALIDATE_LOGOUT(logout_policy, inside));
    IS(CLAIMGATE_OVERLAP, VALIDATE_LOGOUT((void *)within, given));
    IS(CLAIMGATE_MISSING_TOKEN, VALIDATE_LOGOUT(logout_policy, text(NULL)));
    IS(CLAIMGATE_INVALID_BASE64, VALIDATE_LOGOUT(logout_policy, text("a.b.\xff")));
    IS(CLAIMGATE_OVERLAP, claimgate_issuer_key_count(issuer, (size_t *)issuer + 1));
    /* A validation where a cache has its tokens. */
    size_t tokens = 64;
    while (claimgate_cache_size(tokens) < 2 * claimgate_validation_size()) tokens *= 2;
    size_t size = claimgate_cache_size(tokens);
    char *memory = memory_of(size, claimgate_cache_align());
    claimgate_cache *cache = NULL;
    claimgate_validation *overlapping = NULL;
    IS(CLAIMGATE_OK, claimgate_cache_init(memory, size, tokens, &cache));
    IS(CLAIMGATE_OK, claimgate_validation_init(memory + 1024, claimgate_validation_size(),
                                               &overlapping));
    IS(CLAIMGATE_OVERLAP, claimgate_validate_access_token(overlapping, issuers, 1, policy, given,
                                                          NULL, cache, ISSUED));
    free(memory);
}

/* An object that was moved is none, wherever it was moved to. */
static void move_objects(void) {
    const size_t far = 65536;
    size_t size = claimgate_policy_size();
    char *memory = memory_of(4 * far + size, 1);
    char *start = memory + (2 * far - (uintptr_t)memory % (2 * far));
    claimgate_text given = make("at+jwt", ACCESS "}");
    const claimgate_issuer *issuers[] = {issuer};
    for (size_t distance = 16; distance <= far; distance *= 2) {
        const claimgate_policy *made = NULL;
        IS(CLAIMGATE_OK, claimgate_policy_init(start, size, &access_settings, &made));
        memmove(start + distance, start, size);
        IS(CLAIMGATE_NOT_AN_OBJECT,
           claimgate_validate_access_token(validation, issuers, 1,
                                           (const claimgate_policy *)(start + distance), given,
                                           NULL, NULL, ISSUED));
    }
    free(memory);
}

/* A result is written neither over the validation nor over another argument. */
static void read_over_arguments(void) {
    char *within = (char *)validation + 64;
    char buffer[128];
    size_t length = 0;
    claimgate_text name = text("sub"), shown;
    claimgate_texts path = {&name, 1};
    IS(CLAIMGATE_OK, judge_id(ID "}", ISSUED));
    IS(CLAIMGATE_OVERLAP, claimgate_id_valid_until(validation, id_policy, (void *)within));
    IS(CLAIMGATE_OVERLAP, claimgate_id_valid_until(validation, id_policy, (void *)id_policy));
    IS(CLAIMGATE_OK, judge_access(ACCESS ",\"level\":7,\"admin\":true}", ISSUED));
    IS(CLAIMGATE_OVERLAP, claimgate_audience(validation, 0, (void *)within));
    IS(CLAIMGATE_OVERLAP, claimgate_token_time(validation, CLAIMGATE_EXPIRY, (void *)within));
    IS(CLAIMGATE_OVERLAP, claimgate_valid_until(validation, policy, (void *)within));
    IS(CLAIMGATE_OVERLAP, claimgate_valid_until(validation, policy, (void *)policy));
    IS(CLAIMGATE_OVERLAP, claimgate_http_status(validation, (void *)within));
    IS(CLAIMGATE_OVERLAP, claimgate_claim_integer(validation, path, (void *)within));
    IS(CLAIMGATE_OVERLAP, claimgate_claim_boolean(validation, path, (void *)within));
    IS(CLAIMGATE_OVERLAP, claimgate_scope(validation, within, 8, &length));
    IS(CLAIMGATE_OVERLAP, claimgate_scope(validation, buffer, sizeof buffer, (void *)within));
    size_t words[8];
    char *bytes = (char *)words;
    IS(CLAIMGATE_OVERLAP, claimgate_scope(validation, bytes, sizeof words, &words[3]));
    IS(CLAIMGATE_OVERLAP,
       claimgate_claim_string(validation, path, buffer, sizeof buffer, (void *)within));
    size_t *aligned = (size_t *)(token + (sizeof(size_t) - (uintptr_t)token % sizeof(size_t)));
    IS(CLAIMGATE_OVERLAP, claimgate_claim_string(validation, path, buffer, sizeof buffer, aligned));
    IS(CLAIMGATE_OVERLAP,
       claimgate_claim_string(validation, path, token + strlen(token) - 1, 8, &length));
    IS(CLAIMGATE_OK, claimgate_claim_string(validation, path, token + strlen(token), 8, &length));
    IS(CLAIMGATE_OVERLAP,
       claimgate_claim_string(validation, path, (char *)&name, sizeof name, &length));
    IS(CLAIMGATE_OVERLAP,
       claimgate_claim_string(validation, path, buffer, sizeof buffer, &name.length));
    memcpy(buffer, "sub", 3);
    claimgate_text in_buffer = {buffer, 3};
    IS(CLAIMGATE_OVERLAP, claimgate_claim_string(validation, (claimgate_texts){&in_buffer, 1},
                                                 buffer, sizeof buffer, &length));
    int64_t number;
    memcpy(&number, "level\0\0", 8);
    in_buffer = (claimgate_text){(char *)&number, 5};
    IS(CLAIMGATE_OVERLAP,
       claimgate_claim_integer(validation, (claimgate_texts){&in_buffer, 1}, &number));
    int32_t boolean;
    memcpy(&boolean, "admi", 4);
    in_buffer = (claimgate_text){(char *)&boolean, 4};
    IS(CLAIMGATE_OVERLAP,
       claimgate_claim_boolean(validation, (claimgate_texts){&in_buffer, 1}, &boolean));
    IS(CLAIMGATE_OK, claimgate_token_text(validation, CLAIMGATE_SUBJECT, &shown));
    IS(CLAIMGATE_EXPIRED, judge_access(ACCESS "}", EXPIRES + 60));
    IS(CLAIMGATE_OVERLAP, claimgate_message(validation, buffer, sizeof buffer, (void *)within));
    IS(CLAIMGATE_OVERLAP, claimgate_challenge(validation, policy, ((claimgate_text){buffer, 3}),
                                              buffer, sizeof buffer, &length));
    IS(CLAIMGATE_OVERLAP, claimgate_challenge(validation, policy, text(NULL), buffer,
                                              sizeof buffer, (size_t *)policy + 2));
    IS(CLAIMGATE_OK, claimgate_challenge(validation, policy, ((claimgate_text){buffer, 3}),
                                         buffer + 3, sizeof buffer - 3, &length));
}

int main(void) {
    make_objects();
    set_access();
    allow_foreign_claims();
    set_id();
    set_logout();
    show_claims();
    read_by_name();
    set_issuers();
    use_caches();
    set_refreshes();
    initialise_over_arguments();
    validate_over_arguments();
    move_objects();
    read_over_arguments();
    verify_each_algorithm();
    return report_checks();
}
