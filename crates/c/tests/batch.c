/* Validates a file of cases and writes a line for each verdict. tests/cases.py writes the file
 * and compares the lines with the answers of the Rust example.
 *
 * A case is a line for each field, NAME VALUE, and ends with an empty line. A value is
 * percent-encoded. A list is a line NAME[] and a line NAME+ VALUE for each element. */

#include "support.h"

#define MAX_LINE (1 << 16)
#define MAX_ITEMS 64
#define MAX_FIELDS 40
#define MAX_RULES 16

typedef struct {
    char name[24];
    char *value; /* NULL for null and for a list */
    claimgate_text items[MAX_ITEMS];
    size_t count;
    int is_list;
} field;

static field fields[MAX_FIELDS];
static size_t field_count;

static char arena[1 << 18];
static size_t arena_used;

/* Decodes %XX, and returns a copy whose length is stored. */
static claimgate_text decoded(const char *from) {
    char *start = arena + arena_used, *to = start;
    while (*from != '\0' && arena_used + (size_t)(to - start) + 1 < sizeof arena) {
        if (*from == '%' && from[1] != '\0' && from[2] != '\0') {
            char digits[3] = {from[1], from[2], '\0'};
            *to++ = (char)strtoul(digits, NULL, 16);
            from += 3;
        } else {
            *to++ = *from++;
        }
    }
    size_t length = (size_t)(to - start);
    *to = '\0';
    arena_used += length + 1;
    return (claimgate_text){start, length};
}

static claimgate_text values[MAX_FIELDS];

static field *find(const char *name) {
    for (size_t i = 0; i < field_count; i++)
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    return NULL;
}

static field *find_or_add(const char *name) {
    field *found = find(name);
    if (found != NULL) return found;
    if (field_count == MAX_FIELDS || strlen(name) >= sizeof fields->name) {
        fprintf(stderr, "a field too many: %.24s\n", name);
        exit(2);
    }
    found = &fields[field_count++];
    memset(found, 0, sizeof *found);
    strcpy(found->name, name);
    return found;
}

/* The value of a field. Not given if it is absent or null. */
static claimgate_text value(const char *name) {
    field *found = find(name);
    if (found == NULL || found->value == NULL) return (claimgate_text){NULL, 0};
    return values[found - fields];
}

static claimgate_texts list(const char *name) {
    field *found = find(name);
    if (found == NULL || !found->is_list) return (claimgate_texts){NULL, 0};
    return (claimgate_texts){found->items, found->count};
}

static unsigned long long number(claimgate_text digits) {
    return strtoull(digits.data, NULL, 10);
}

static claimgate_seconds seconds(const char *name) {
    claimgate_text digits = value(name);
    if (digits.data == NULL) return (claimgate_seconds){0, 0};
    return (claimgate_seconds){number(digits), 1};
}

static int is(const char *name, const char *expected) {
    claimgate_text found = value(name);
    return found.data != NULL && found.length == strlen(expected) &&
           memcmp(found.data, expected, found.length) == 0;
}

static void put_text(claimgate_text shown) {
    for (size_t i = 0; i < shown.length; i++) {
        unsigned char byte = (unsigned char)shown.data[i];
        if (byte <= ' ' || byte == '%' || byte >= 0x7f)
            printf("%%%02X", byte);
        else
            putchar(byte);
    }
}

static uint32_t algorithm_bits(void) {
    static const struct {
        const char *name;
        uint32_t bit;
    } names[] = {
        {"RS256", CLAIMGATE_RS256}, {"RS384", CLAIMGATE_RS384}, {"RS512", CLAIMGATE_RS512},
        {"PS256", CLAIMGATE_PS256}, {"PS384", CLAIMGATE_PS384}, {"PS512", CLAIMGATE_PS512},
        {"ES256", CLAIMGATE_ES256}, {"ES384", CLAIMGATE_ES384}, {"EdDSA", CLAIMGATE_EDDSA},
    };
    uint32_t bits = 0;
    claimgate_texts given = list("algorithms");
    for (size_t i = 0; i < given.count; i++)
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            if (strcmp(given.items[i].data, names[j].name) == 0) bits |= names[j].bit;
    return bits;
}

/* Claim rules: the fields rule0.path[], rule0.comparison, rule0.text, rule0.texts[] and
 * rule0.integer, and so on. */
static claimgate_claim_rule rules[MAX_RULES];

static claimgate_claim_rules claim_rules(void) {
    size_t count = 0;
    for (; count < MAX_RULES; count++) {
        char name[24];
        snprintf(name, sizeof name, "rule%u.path", (unsigned)count);
        if (find(name) == NULL) break;
        claimgate_claim_rule *rule = &rules[count];
        rule->path = list(name);
        snprintf(name, sizeof name, "rule%u.comparison", (unsigned)count);
        rule->comparison = (uint32_t)number(value(name));
        snprintf(name, sizeof name, "rule%u.text", (unsigned)count);
        rule->text = value(name);
        snprintf(name, sizeof name, "rule%u.texts", (unsigned)count);
        rule->texts = list(name);
        snprintf(name, sizeof name, "rule%u.integer", (unsigned)count);
        rule->integer = value(name).data == NULL ? 0 : strtoll(value(name).data, NULL, 10);
    }
    /* The example reads an empty list as none; the library refuses one. */
    return (claimgate_claim_rules){count == 0 ? NULL : rules, count};
}

static claimgate_common_settings common(void) {
    return (claimgate_common_settings){
        .leeway = seconds("leeway"),
        .max_token_age = seconds("max_token_age"),
        .claim_rules = claim_rules(),
    };
}

static void report(const char *verdict, claimgate_code code) {
    put_text(value("id"));
    printf("\t%s\t%s", verdict, claimgate_code_name(code));
}

/* The objects of one case. */
static claimgate_validation *validation;
static claimgate_issuer *issuer;
static claimgate_policy *policy;
static claimgate_id_policy *id_policy;
static claimgate_logout_policy *logout_policy;

static claimgate_code build_access_policy(claimgate_text audience, claimgate_texts client_ids) {
    claimgate_access_settings settings = {
        .size = sizeof settings,
        .common = common(),
        .profile = CLAIMGATE_PROFILE_GENERAL,
        .audience = audience,
        .authorized_parties = list("authorized_parties"),
        .client_ids = client_ids,
        .scopes_all = list("scopes_all"),
        .scopes_any = list("scopes_any"),
        .permissions_all = list("permissions_all"),
        .permissions_any = list("permissions_any"),
        .acr_values = list("acr_values"),
        .max_age = seconds("max_age"),
        .danger_ignore_confirmation = find("ignore_confirmation") != NULL,
    };
    if (is("profile", "rfc9068")) settings.profile = CLAIMGATE_PROFILE_RFC9068;
    if (audience.data == NULL) settings.profile = CLAIMGATE_PROFILE_WITHOUT_AUDIENCE;
    if (is("subject_kind", "user")) settings.subject_kind = CLAIMGATE_SUBJECT_USER;
    if (is("subject_kind", "client")) settings.subject_kind = CLAIMGATE_SUBJECT_CLIENT;
    const claimgate_policy *built = NULL;
    return claimgate_policy_init(policy, claimgate_policy_size(), &settings, &built);
}

static claimgate_code build_id_policy(void) {
    claimgate_id_settings settings = {
        .size = sizeof settings,
        .common = common(),
        .client_id = value("client_id"),
        .trusted_audiences = list("trusted_audiences"),
        .acr_values = list("acr_values"),
        .max_age = seconds("max_age"),
    };
    const claimgate_id_policy *built = NULL;
    return claimgate_id_policy_init(id_policy, claimgate_id_policy_size(), &settings, &built);
}

static claimgate_code build_logout_policy(void) {
    claimgate_logout_settings settings = {
        .size = sizeof settings,
        .common = common(),
        .client_id = value("client_id"),
        .trusted_audiences = list("trusted_audiences"),
    };
    const claimgate_logout_policy *built = NULL;
    return claimgate_logout_policy_init(logout_policy, claimgate_logout_policy_size(), &settings,
                                        &built);
}

static claimgate_login login_of_case(void) {
    claimgate_login login = {
        .size = sizeof login,
        .nonce_rule = find("nonce") == NULL         ? CLAIMGATE_NONCE_IGNORED
                      : value("nonce").data == NULL ? CLAIMGATE_NONCE_ABSENT
                                                    : CLAIMGATE_NONCE_EXPECTED,
        .nonce = value("nonce"),
        .access_token = value("access_token"),
        .code = value("code"),
        .organization = value("organization"),
    };
    return login;
}

static claimgate_code build_policy(void) {
    claimgate_text client_id = value("client_id");
    claimgate_texts client_ids = {&client_id, client_id.data != NULL};
    if (is("token_use", "access"))
        return build_access_policy(value("audience"), client_ids);
    if (value("audience").data != NULL) {
        /* Both are in one configuration, so they must differ. */
        claimgate_access_settings settings = {
            .size = sizeof settings, .audience = value("audience"), .client_ids = client_ids};
        const claimgate_policy *built = NULL;
        claimgate_code code =
            claimgate_policy_init(policy, claimgate_policy_size(), &settings, &built);
        if (code != CLAIMGATE_OK) return code;
    }
    if (is("token_use", "logout")) return build_logout_policy();
    return build_id_policy();
}

/* The claims that are read by name must equal those that were read before. */
static void check_by_name(const char *name, claimgate_text expected) {
    char found[4096];
    size_t length = 0;
    claimgate_text path = text(name);
    claimgate_code code = claimgate_claim_string(validation, (claimgate_texts){&path, 1}, found,
                                                 sizeof found, &length);
    if (code != CLAIMGATE_OK || length != expected.length ||
        memcmp(found, expected.data, length) != 0) {
        fprintf(stderr, "%s by its name: %s\n", name, claimgate_code_name(code));
        exit(1);
    }
}

static void show_token(void) {
    claimgate_text shown;
    printf("\tsub=");
    if (claimgate_token_text(validation, CLAIMGATE_SUBJECT, &shown) == CLAIMGATE_OK) {
        put_text(shown);
        check_by_name("sub", shown);
    }
    printf("\taud=");
    for (size_t i = 0; claimgate_audience(validation, i, &shown) == CLAIMGATE_OK; i++) {
        printf(i == 0 ? "" : " ");
        put_text(shown);
    }
    char scope[8192];
    size_t length = 0;
    if (claimgate_scope(validation, scope, sizeof scope, &length) == CLAIMGATE_OK) {
        printf("\tscope=");
        put_text((claimgate_text){scope, length});
    }
    if (claimgate_token_text(validation, CLAIMGATE_SESSION_ID, &shown) == CLAIMGATE_OK) {
        printf("\tsid=");
        put_text(shown);
    }
}

static void show_refusal(void) {
    char buffer[2048];
    size_t length = 0;
    uint32_t status = 0;
    if (claimgate_http_status(validation, &status) != CLAIMGATE_OK) exit(1);
    printf("\tstatus=%u", (unsigned)status);
    int is_access = is("token_use", "access");
    claimgate_code code = claimgate_challenge(validation, is_access ? policy : NULL, text(NULL),
                                              buffer, sizeof buffer, &length);
    if (code != CLAIMGATE_OK) exit(1);
    printf("\twww_authenticate=");
    put_text((claimgate_text){buffer, length});
    if (claimgate_message(validation, buffer, sizeof buffer, &length) != CLAIMGATE_OK) exit(1);
    printf("\tmessage=");
    put_text((claimgate_text){buffer, length});
}

static claimgate_code validate(void) {
    const claimgate_issuer *issuers[] = {issuer};
    unsigned long long now = number(value("now"));
    claimgate_login login = login_of_case();
    if (is("token_use", "logout"))
        return claimgate_validate_logout_token(validation, issuers, 1, logout_policy,
                                               value("token"), now);
    if (is("token_use", "id"))
        return claimgate_validate_id_token(validation, issuers, 1, id_policy, value("token"),
                                           &login, now);
    claimgate_request_key key = {value("x5t"), value("jkt")};
    int has_key = key.x5t_s256.data != NULL || key.jkt.data != NULL;
    return claimgate_validate_access_token(validation, issuers, 1, policy, value("token"),
                                           has_key ? &key : NULL, NULL, now);
}

static void run_case(void) {
    policy = NEW(policy);
    id_policy = NEW(id_policy);
    logout_policy = NEW(logout_policy);
    void *issuer_memory = NEW(issuer), *validation_memory = NEW(validation);
    claimgate_issuer_settings settings = {
        .size = sizeof settings,
        .url = value("issuer"),
        .tenants = list("tenants"),
        .algorithms = algorithm_bits(),
    };
    claimgate_code code = build_policy();
    if (code == CLAIMGATE_OK)
        code = claimgate_issuer_init(issuer_memory, claimgate_issuer_size(), &settings, &issuer);
    if (code == CLAIMGATE_OK)
        code = claimgate_validation_init(validation_memory, claimgate_validation_size(),
                                         &validation);
    if (code != CLAIMGATE_OK) {
        report("usage", code);
    } else if ((code = claimgate_issuer_set_keys(issuer, value("jwks"))) != CLAIMGATE_OK) {
        /* The example looks at the login before the keys. */
        claimgate_code later = validate();
        report(later < 200 ? "invalid" : "usage", later < 200 ? code : later);
    } else if ((code = validate()) == CLAIMGATE_OK) {
        report("valid", code);
        show_token();
    } else {
        report(code < 200 ? "invalid" : "usage", code);
        if (code < 200) show_refusal();
    }
    printf("\n");
    free(policy);
    free(id_policy);
    free(logout_policy);
    free(issuer_memory);
    free(validation_memory);
}

static void read_line(char *line) {
    char *space = strchr(line, ' ');
    size_t length = space == NULL ? strlen(line) : (size_t)(space - line);
    char kind = length > 0 ? line[length - 1] : '\0';
    if (kind == ']') {
        line[length - 2] = '\0';
        find_or_add(line)->is_list = 1;
    } else if (kind == '+') {
        line[length - 1] = '\0';
        field *into = find_or_add(line);
        if (into->count == MAX_ITEMS) {
            fprintf(stderr, "an element too many: %s\n", line);
            exit(2);
        }
        into->items[into->count++] = decoded(space + 1);
    } else if (space == NULL) {
        find_or_add(line)->value = NULL;
    } else {
        *space = '\0';
        field *into = find_or_add(line);
        values[into - fields] = decoded(space + 1);
        into->value = space;
    }
}

int main(int argc, char **argv) {
    static char line[MAX_LINE];
    FILE *cases = fopen(argc > 1 ? argv[1] : "cases.txt", "r");
    if (cases == NULL) {
        fprintf(stderr, "no file of cases\n");
        return 2;
    }
    size_t count = 0;
    while (fgets(line, sizeof line, cases) != NULL) {
        size_t length = strcspn(line, "\n");
        line[length] = '\0';
        if (length > 0) {
            read_line(line);
            continue;
        }
        run_case();
        count++;
        field_count = 0;
        arena_used = 0;
    }
    fclose(cases);
    printf("end\t%lu\n", (unsigned long)count);
    fflush(stdout);
    return 0;
}
