/* Access control with OAuth 2.0 access tokens: a location accepts requests whose token claimgate
 * accepts. The directives are described in README.md. */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "claimgate.h"

#define MAX_KEY_SET (256 * 1024)
#define MAX_CHALLENGE 4096
#define MAX_VALUE 4096
#define MAX_STALE 86400
#define MAX_FETCH 10000 /* milliseconds */

typedef struct request_s request_t;

/* The keys of an issuer, from a file or a location. Each worker has its own. */
typedef struct {
    ngx_str_t url;
    ngx_str_t file;
    ngx_str_t location;
    /* The server whose location this is: each may have another one of this name. */
    void *server;
    uint32_t algorithms;
    ngx_uint_t max_age, max_stale, cool_down;
    claimgate_issuer *issuer;
    claimgate_refresh *refresh;
    /* The state of the file when it was last read. */
    struct stat info;
    time_t looked_at;
    /* When it was last found to be the key set in use. */
    time_t confirmed_at;
    ngx_uint_t is_in_use;
    /* The request whose fetch is in progress, or NULL. */
    request_t *fetching;
    /* The requests that wait for its end. */
    ngx_queue_t waiting;
    /* When a fetch ended without a result; 0 after another fetch was begun. */
    time_t cut_off_at;
} keys_t;

/* The claim of a variable. */
typedef struct {
    ngx_array_t *path; /* of claimgate_text */
    ngx_uint_t index;
} claim_t;

typedef struct {
    ngx_array_t keys;   /* of keys_t * */
    ngx_array_t claims; /* of ngx_str_t: the variables that show claims */
    ngx_uint_t tokens;  /* how many tokens a worker's cache has */
} main_conf_t;

typedef struct {
    ngx_flag_t enabled;
    ngx_str_t issuer;
    ngx_str_t keys_file;
    ngx_str_t keys_location;
    ngx_uint_t keys_max_age;
    ngx_uint_t max_stale;
    ngx_uint_t cool_down;
    ngx_uint_t algorithms;
    ngx_uint_t profile;
    ngx_uint_t subject_kind;
    ngx_uint_t leeway;
    ngx_uint_t max_age;
    ngx_array_t *audiences; /* of claimgate_text, like the following */
    ngx_array_t *clients;
    ngx_array_t *scopes_all;
    ngx_array_t *scopes_any;
    ngx_array_t *permissions_all;
    ngx_array_t *permissions_any;
    ngx_array_t *acr_values;
    ngx_array_t *rules;  /* of claimgate_claim_rule */
    ngx_array_t *claims; /* of claim_t */
    ngx_str_t realm;
    ngx_str_t cookie;
    /* The objects built from them. */
    const claimgate_policy *policy;
    keys_t *keys;
} loc_conf_t;

/* The state of a request in a location. */
struct request_s {
    ngx_http_request_t *request;
    ngx_uint_t waits;   /* for the end of a fetch, in the queue */
    ngx_uint_t fetched; /* it has begun a fetch or waited for one, and does neither again */
    ngx_queue_t queue;
    /* Its fetch, if it has begun one. */
    keys_t *keys;
    ngx_http_request_t *subrequest;
    ngx_event_t deadline;
    size_t length; /* of the key set, as far as it was received */
    ngx_str_t subject;
    ngx_str_t scope;
    ngx_str_t client;
    ngx_str_t *claims;
};

ngx_module_t ngx_http_claimgate_module;

/* The state of the worker. */
static claimgate_validation *validation;
static claimgate_cache *cache;

static ngx_http_output_body_filter_pt next_body_filter;

static claimgate_text text_of(ngx_str_t string) {
    return (claimgate_text){(const char *)string.data, string.len};
}

static claimgate_texts texts_of(const ngx_array_t *array) {
    if (array == NULL) return (claimgate_texts){NULL, 0};
    return (claimgate_texts){array->elts, array->nelts};
}

/* ---- Configuration ---- */

/* Adds the arguments of a directive to a list. */
static char *add_texts(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
    ngx_array_t **list = (ngx_array_t **)((char *)conf + command->offset);
    ngx_str_t *args = cf->args->elts;
    if (*list == NULL) *list = ngx_array_create(cf->pool, 4, sizeof(claimgate_text));
    if (*list == NULL) return NGX_CONF_ERROR;
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        claimgate_text *text = ngx_array_push(*list);
        if (text == NULL) return NGX_CONF_ERROR;
        *text = text_of(args[i]);
    }
    return NGX_CONF_OK;
}

static char *set_algorithms(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
    static const struct {
        const char *name;
        uint32_t bit;
    } names[] = {
        {"RS256", CLAIMGATE_RS256}, {"RS384", CLAIMGATE_RS384}, {"RS512", CLAIMGATE_RS512},
        {"PS256", CLAIMGATE_PS256}, {"PS384", CLAIMGATE_PS384}, {"PS512", CLAIMGATE_PS512},
        {"ES256", CLAIMGATE_ES256}, {"ES384", CLAIMGATE_ES384}, {"EdDSA", CLAIMGATE_EDDSA},
    };
    loc_conf_t *own = conf;
    ngx_str_t *args = cf->args->elts;
    if (own->algorithms != NGX_CONF_UNSET_UINT) return "is duplicate";
    own->algorithms = 0;
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        ngx_uint_t bit = 0;
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            if (ngx_strcmp(args[i].data, names[j].name) == 0) bit = names[j].bit;
        if (bit == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "claimgate: unknown algorithm \"%V\"",
                               &args[i]);
            return NGX_CONF_ERROR;
        }
        own->algorithms |= bit;
    }
    return NGX_CONF_OK;
}

static claimgate_texts rest_of(ngx_conf_t *cf, ngx_uint_t first, ngx_uint_t end) {
    ngx_str_t *args = cf->args->elts;
    claimgate_text *items = ngx_palloc(cf->pool, (end - first + 1) * sizeof *items);
    if (items == NULL) return (claimgate_texts){NULL, 0};
    for (ngx_uint_t i = first; i < end; i++) items[i - first] = text_of(args[i]);
    return (claimgate_texts){items, end - first};
}

/* claimgate_require_claim NAME [NAME…] COMPARISON VALUE [VALUE…] */
static char *add_rule(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
    static const struct {
        const char *name;
        uint32_t number;
    } comparisons[] = {
        {"equals", CLAIMGATE_EQUALS},
        {"equals_integer", CLAIMGATE_EQUALS_INTEGER},
        {"equals_boolean", CLAIMGATE_EQUALS_BOOLEAN},
        {"one_of", CLAIMGATE_ONE_OF},
        {"contains", CLAIMGATE_CONTAINS},
    };
    loc_conf_t *own = conf;
    ngx_str_t *args = cf->args->elts;
    ngx_uint_t count = cf->args->nelts, at = 2;
    uint32_t number = 0;
    for (; at < count; at++) {
        for (size_t j = 0; j < sizeof comparisons / sizeof *comparisons; j++)
            if (ngx_strcmp(args[at].data, comparisons[j].name) == 0)
                number = comparisons[j].number;
        if (number != 0) break;
    }
    if (number == 0)
        return "has no comparison: equals, equals_integer, equals_boolean, one_of or contains";
    if (at + 1 >= count || (number != CLAIMGATE_ONE_OF && at + 2 != count))
        return "has the wrong number of values";
    if (own->rules == NULL)
        own->rules = ngx_array_create(cf->pool, 4, sizeof(claimgate_claim_rule));
    claimgate_claim_rule *rule = own->rules == NULL ? NULL : ngx_array_push(own->rules);
    if (rule == NULL) return NGX_CONF_ERROR;
    ngx_memzero(rule, sizeof *rule);
    rule->comparison = number;
    rule->path = rest_of(cf, 1, at);
    ngx_str_t value = args[at + 1];
    if (number == CLAIMGATE_ONE_OF) {
        rule->texts = rest_of(cf, at + 1, count);
    } else if (number == CLAIMGATE_EQUALS_INTEGER) {
        char *end;
        errno = 0;
        rule->integer = strtoll((char *)value.data, &end, 10);
        if (errno != 0 || *end != '\0' || value.len == 0) return "has a value that is not an integer";
    } else if (number == CLAIMGATE_EQUALS_BOOLEAN) {
        rule->integer = ngx_strcmp(value.data, "true") == 0;
        if (rule->integer == 0 && ngx_strcmp(value.data, "false") != 0)
            return "has a value that is neither true nor false";
    } else {
        rule->text = text_of(value);
    }
    return NGX_CONF_OK;
}

static ngx_int_t claim_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                                uintptr_t data);

static ngx_int_t is_same_name(ngx_str_t left, ngx_str_t right) {
    return left.len == right.len && ngx_strncasecmp(left.data, right.data, left.len) == 0;
}

/* claimgate_claim $VARIABLE NAME [NAME…] */
static char *add_claim(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
    loc_conf_t *own = conf;
    main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_claimgate_module);
    ngx_str_t *args = cf->args->elts, name = args[1];
    if (cf->args->nelts > 6) return "has a path of more than four names";
    if (name.len < 2 || name.data[0] != '$') return "has no $variable as its first argument";
    name.data++;
    name.len--;
    ngx_str_t *known = main->claims.elts;
    ngx_uint_t index = 0;
    while (index < main->claims.nelts && !is_same_name(known[index], name)) index++;
    if (index == main->claims.nelts) {
        ngx_str_t *place = ngx_array_push(&main->claims);
        ngx_http_variable_t *variable = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
        if (place == NULL || variable == NULL) return NGX_CONF_ERROR;
        if (variable->get_handler != NULL) return "has a variable that exists already";
        *place = name;
        variable->get_handler = claim_variable;
        variable->data = index;
    }
    for (ngx_uint_t i = 0; own->claims != NULL && i < own->claims->nelts; i++)
        if (((claim_t *)own->claims->elts)[i].index == index)
            return "has a variable that this block sets twice";
    if (own->claims == NULL) own->claims = ngx_array_create(cf->pool, 4, sizeof(claim_t));
    claim_t *claim = own->claims == NULL ? NULL : ngx_array_push(own->claims);
    if (claim == NULL) return NGX_CONF_ERROR;
    claim->index = index;
    claim->path = ngx_array_create(cf->pool, 4, sizeof(claimgate_text));
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        claimgate_text *text = claim->path == NULL ? NULL : ngx_array_push(claim->path);
        if (text == NULL) return NGX_CONF_ERROR;
        *text = text_of(args[i]);
    }
    return NGX_CONF_OK;
}

static char *set_file(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
    char *result = ngx_conf_set_str_slot(cf, command, conf);
    if (result != NGX_CONF_OK) return result;
    loc_conf_t *own = conf;
    return ngx_conf_full_name(cf->cycle, &own->keys_file, 1) == NGX_OK ? NGX_CONF_OK
                                                                      : NGX_CONF_ERROR;
}

static char *set_location(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
    ngx_str_t uri = ((ngx_str_t *)cf->args->elts)[1];
    if (uri.data[0] != '/' || ngx_strchr(uri.data, '?') != NULL ||
        ngx_strchr(uri.data, '#') != NULL)
        return "is not the path of a location";
    return ngx_conf_set_str_slot(cf, command, conf);
}

static ngx_conf_enum_t profiles[] = {
    {ngx_string("general"), CLAIMGATE_PROFILE_GENERAL},
    {ngx_string("rfc9068"), CLAIMGATE_PROFILE_RFC9068},
    {ngx_null_string, 0},
};

static ngx_conf_enum_t subject_kinds[] = {
    {ngx_string("any"), CLAIMGATE_SUBJECT_ANY},
    {ngx_string("user"), CLAIMGATE_SUBJECT_USER},
    {ngx_string("client"), CLAIMGATE_SUBJECT_CLIENT},
    {ngx_null_string, 0},
};

static ngx_conf_num_bounds_t leeway_bounds = {ngx_conf_check_num_bounds, 0, 600};
static ngx_conf_num_bounds_t max_stale_bounds = {ngx_conf_check_num_bounds, 1, -1};

#define ANYWHERE (NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF)
#define IN_LOCATION(field) NGX_HTTP_LOC_CONF_OFFSET, offsetof(loc_conf_t, field), NULL
#define IN_LOCATION_OF(field, post) NGX_HTTP_LOC_CONF_OFFSET, offsetof(loc_conf_t, field), post

static ngx_command_t commands[] = {
    {ngx_string("claimgate"), ANYWHERE | NGX_CONF_FLAG, ngx_conf_set_flag_slot,
     IN_LOCATION(enabled)},
    {ngx_string("claimgate_issuer"), ANYWHERE | NGX_CONF_TAKE1, ngx_conf_set_str_slot,
     IN_LOCATION(issuer)},
    {ngx_string("claimgate_keys_file"), ANYWHERE | NGX_CONF_TAKE1, set_file,
     IN_LOCATION(keys_file)},
    {ngx_string("claimgate_keys_location"), ANYWHERE | NGX_CONF_TAKE1, set_location,
     IN_LOCATION(keys_location)},
    {ngx_string("claimgate_keys_max_stale"), ANYWHERE | NGX_CONF_TAKE1, ngx_conf_set_sec_slot,
     IN_LOCATION_OF(max_stale, &max_stale_bounds)},
    {ngx_string("claimgate_keys_max_age"), ANYWHERE | NGX_CONF_TAKE1, ngx_conf_set_sec_slot,
     IN_LOCATION(keys_max_age)},
    {ngx_string("claimgate_keys_cool_down"), ANYWHERE | NGX_CONF_TAKE1, ngx_conf_set_sec_slot,
     IN_LOCATION(cool_down)},
    {ngx_string("claimgate_algorithms"), ANYWHERE | NGX_CONF_1MORE, set_algorithms,
     IN_LOCATION(algorithms)},
    {ngx_string("claimgate_profile"), ANYWHERE | NGX_CONF_TAKE1, ngx_conf_set_enum_slot,
     IN_LOCATION_OF(profile, profiles)},
    {ngx_string("claimgate_subject"), ANYWHERE | NGX_CONF_TAKE1, ngx_conf_set_enum_slot,
     IN_LOCATION_OF(subject_kind, subject_kinds)},
    {ngx_string("claimgate_leeway"), ANYWHERE | NGX_CONF_TAKE1, ngx_conf_set_sec_slot,
     IN_LOCATION_OF(leeway, &leeway_bounds)},
    {ngx_string("claimgate_max_age"), ANYWHERE | NGX_CONF_TAKE1, ngx_conf_set_sec_slot,
     IN_LOCATION(max_age)},
    {ngx_string("claimgate_audience"), ANYWHERE | NGX_CONF_1MORE, add_texts,
     IN_LOCATION(audiences)},
    {ngx_string("claimgate_clients"), ANYWHERE | NGX_CONF_1MORE, add_texts, IN_LOCATION(clients)},
    {ngx_string("claimgate_scope_all"), ANYWHERE | NGX_CONF_1MORE, add_texts,
     IN_LOCATION(scopes_all)},
    {ngx_string("claimgate_scope_any"), ANYWHERE | NGX_CONF_1MORE, add_texts,
     IN_LOCATION(scopes_any)},
    {ngx_string("claimgate_permission_all"), ANYWHERE | NGX_CONF_1MORE, add_texts,
     IN_LOCATION(permissions_all)},
    {ngx_string("claimgate_permission_any"), ANYWHERE | NGX_CONF_1MORE, add_texts,
     IN_LOCATION(permissions_any)},
    {ngx_string("claimgate_acr"), ANYWHERE | NGX_CONF_1MORE, add_texts, IN_LOCATION(acr_values)},
    {ngx_string("claimgate_require_claim"), ANYWHERE | NGX_CONF_2MORE, add_rule,
     IN_LOCATION(rules)},
    {ngx_string("claimgate_claim"), ANYWHERE | NGX_CONF_2MORE, add_claim, IN_LOCATION(claims)},
    {ngx_string("claimgate_realm"), ANYWHERE | NGX_CONF_TAKE1, ngx_conf_set_str_slot,
     IN_LOCATION(realm)},
    {ngx_string("claimgate_cookie"), ANYWHERE | NGX_CONF_TAKE1, ngx_conf_set_str_slot,
     IN_LOCATION(cookie)},
    {ngx_string("claimgate_cache"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_num_slot,
     NGX_HTTP_MAIN_CONF_OFFSET, offsetof(main_conf_t, tokens), NULL},
    ngx_null_command,
};

static void *create_main_conf(ngx_conf_t *cf) {
    main_conf_t *main = ngx_pcalloc(cf->pool, sizeof *main);
    if (main == NULL) return NULL;
    main->tokens = NGX_CONF_UNSET_UINT;
    if (ngx_array_init(&main->claims, cf->pool, 4, sizeof(ngx_str_t)) != NGX_OK) return NULL;
    return ngx_array_init(&main->keys, cf->pool, 4, sizeof(keys_t *)) == NGX_OK ? main : NULL;
}

static char *init_main_conf(ngx_conf_t *cf, void *conf) {
    main_conf_t *main = conf;
    ngx_conf_init_uint_value(main->tokens, 1024);
    if (main->tokens != 0 && claimgate_cache_size(main->tokens) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "claimgate: the cache is too large");
        return NGX_CONF_ERROR;
    }
    return NGX_CONF_OK;
}

static void *create_loc_conf(ngx_conf_t *cf) {
    loc_conf_t *own = ngx_pcalloc(cf->pool, sizeof *own);
    if (own == NULL) return NULL;
    own->enabled = NGX_CONF_UNSET;
    own->algorithms = own->profile = own->subject_kind = NGX_CONF_UNSET_UINT;
    own->leeway = own->max_age = own->max_stale = NGX_CONF_UNSET_UINT;
    own->keys_max_age = own->cool_down = NGX_CONF_UNSET_UINT;
    return own;
}

static void *memory_of(ngx_pool_t *pool, size_t size, size_t alignment) {
    return ngx_pmemalign(pool, size, alignment);
}

static char *refuse_setting(ngx_conf_t *cf, const char *what, claimgate_code code) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "claimgate: %s: %s", what, claimgate_code_name(code));
    return NGX_CONF_ERROR;
}

/* Reads a key set file. An unreadable or invalid file changes nothing. */
static void read_file(keys_t *keys, ngx_log_t *log) {
    ngx_str_t *name = &keys->file;
    struct stat info;
    keys->looked_at = ngx_time();
    if (stat((char *)name->data, &info) != 0) {
        ngx_log_error(NGX_LOG_ERR, log, errno, "claimgate: the key set %V does not exist", name);
        return;
    }
    struct stat *last = &keys->info;
    if (last->st_ino == info.st_ino && last->st_size == info.st_size &&
        last->st_mtim.tv_sec == info.st_mtim.tv_sec &&
        last->st_mtim.tv_nsec == info.st_mtim.tv_nsec) {
        if (keys->is_in_use) keys->confirmed_at = keys->looked_at;
        return;
    }
    keys->is_in_use = 0;
    /* A pipe would block the worker. */
    int file = open((char *)name->data, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = file < 0 ? NULL : ngx_alloc(MAX_KEY_SET, log);
    ssize_t length = text == NULL ? -1 : 0, part = 0;
    while (text != NULL && length < MAX_KEY_SET &&
           (part = read(file, text + length, MAX_KEY_SET - (size_t)length)) > 0)
        length += part;
    if (length < 0 || part < 0 || length == MAX_KEY_SET) {
        ngx_log_error(NGX_LOG_ERR, log, errno, "claimgate: the key set %V cannot be read", name);
    } else {
        claimgate_code code =
            claimgate_issuer_set_keys(keys->issuer, (claimgate_text){text, (size_t)length});
        /* A file that changed while it was read is read again. */
        *last = info;
        keys->is_in_use = code == CLAIMGATE_OK || code == CLAIMGATE_NO_USABLE_KEYS;
        if (keys->is_in_use) keys->confirmed_at = keys->looked_at;
        ngx_uint_t level = code == CLAIMGATE_OK ? NGX_LOG_NOTICE : NGX_LOG_ERR;
        ngx_log_error(level, log, 0, "claimgate: the key set %V: %s", name,
                      claimgate_code_name(code));
    }
    if (file >= 0) close(file);
    if (text != NULL) ngx_free(text);
}

static ngx_int_t is_same(ngx_str_t left, ngx_str_t right) {
    return left.len == right.len && ngx_memcmp(left.data, right.data, left.len) == 0;
}

/* Returns the keys of a location, and creates them if necessary. */
static char *find_keys(ngx_conf_t *cf, loc_conf_t *own) {
    main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_claimgate_module);
    void *server = own->keys_location.len == 0 ? NULL :
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    keys_t **known = main->keys.elts;
    for (ngx_uint_t i = 0; i < main->keys.nelts; i++) {
        if (is_same(known[i]->url, own->issuer) && is_same(known[i]->file, own->keys_file) &&
            is_same(known[i]->location, own->keys_location) && known[i]->server == server &&
            known[i]->algorithms == own->algorithms && known[i]->max_age == own->keys_max_age &&
            known[i]->max_stale == own->max_stale && known[i]->cool_down == own->cool_down) {
            own->keys = known[i];
            return NGX_CONF_OK;
        }
    }
    keys_t *keys = ngx_pcalloc(cf->pool, sizeof *keys), **place = ngx_array_push(&main->keys);
    size_t size = claimgate_issuer_size(), refresh_size = claimgate_refresh_size();
    void *memory = memory_of(cf->pool, size, claimgate_issuer_align());
    void *refresh_memory = memory_of(cf->pool, refresh_size, claimgate_refresh_align());
    if (keys == NULL || place == NULL || memory == NULL || refresh_memory == NULL)
        return NGX_CONF_ERROR;
    ngx_queue_init(&keys->waiting);
    keys->url = own->issuer;
    keys->file = own->keys_file;
    keys->location = own->keys_location;
    keys->server = server;
    keys->algorithms = own->algorithms;
    keys->max_age = own->keys_max_age;
    keys->max_stale = own->max_stale;
    keys->cool_down = own->cool_down;
    claimgate_issuer_settings settings = {
        .size = sizeof settings, .url = text_of(keys->url), .algorithms = keys->algorithms};
    claimgate_code code = claimgate_issuer_init(memory, size, &settings, &keys->issuer);
    if (code != CLAIMGATE_OK) return refuse_setting(cf, "claimgate_issuer", code);
    claimgate_refresh_settings seconds = {
        .size = sizeof seconds,
        .max_age = {keys->max_age, keys->max_age != NGX_CONF_UNSET_UINT},
        .max_stale = {keys->max_stale, keys->max_stale != NGX_CONF_UNSET_UINT},
        .cool_down = {keys->cool_down, keys->cool_down != NGX_CONF_UNSET_UINT},
    };
    code = claimgate_refresh_init(refresh_memory, refresh_size, &seconds, &keys->refresh);
    if (code != CLAIMGATE_OK) return refuse_setting(cf, "claimgate_keys_", code);
    if (keys->file.len > 0) {
        size_t count = 0;
        read_file(keys, cf->log);
        claimgate_issuer_key_count(keys->issuer, &count);
        if (count == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "claimgate: no usable keys in \"%V\"",
                               &keys->file);
            return NGX_CONF_ERROR;
        }
    }
    own->keys = *place = keys;
    return NGX_CONF_OK;
}

static char *make_policy(ngx_conf_t *cf, loc_conf_t *own) {
    if (own->issuer.len == 0) return "claimgate_issuer is missing";
    if (own->audiences == NULL) return "claimgate_audience is missing";
    if ((own->keys_file.len == 0) == (own->keys_location.len == 0))
        return "one of claimgate_keys_file and claimgate_keys_location is required, "
               "in the block of claimgate_issuer or further inside";
    claimgate_texts audiences = texts_of(own->audiences);
    claimgate_access_settings settings = {
        .size = sizeof settings,
        .profile = own->profile,
        .subject_kind = own->subject_kind,
        .audience = audiences.items[0],
        .other_audiences = {audiences.items + 1, audiences.count - 1},
        .authorized_parties = texts_of(own->clients),
        .scopes_all = texts_of(own->scopes_all),
        .scopes_any = texts_of(own->scopes_any),
        .permissions_all = texts_of(own->permissions_all),
        .permissions_any = texts_of(own->permissions_any),
        .acr_values = texts_of(own->acr_values),
    };
    if (own->leeway != NGX_CONF_UNSET_UINT)
        settings.common.leeway = (claimgate_seconds){own->leeway, 1};
    if (own->max_age != NGX_CONF_UNSET_UINT)
        settings.max_age = (claimgate_seconds){own->max_age, 1};
    if (own->rules != NULL)
        settings.common.claim_rules = (claimgate_claim_rules){own->rules->elts, own->rules->nelts};
    size_t size = claimgate_policy_size();
    void *memory = memory_of(cf->pool, size, claimgate_policy_align());
    if (memory == NULL) return NGX_CONF_ERROR;
    claimgate_code code = claimgate_policy_init(memory, size, &settings, &own->policy);
    return code == CLAIMGATE_OK ? NGX_CONF_OK : (char *)claimgate_code_name(code);
}

static char *merge_loc_conf(ngx_conf_t *cf, void *parent, void *child) {
    loc_conf_t *outer = parent, *own = child;
    ngx_conf_merge_value(own->enabled, outer->enabled, 0);
    ngx_conf_merge_str_value(own->issuer, outer->issuer, "");
    /* The keys of one issuer must not verify the tokens of another. Keys of a block without an
     * issuer would be those of each inner block. */
    if (own->keys_file.len == 0 && own->keys_location.len == 0 &&
        is_same(own->issuer, outer->issuer)) {
        own->keys_file = outer->keys_file;
        own->keys_location = outer->keys_location;
    }
    ngx_conf_merge_uint_value(own->keys_max_age, outer->keys_max_age, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_uint_value(own->max_stale, outer->max_stale, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_uint_value(own->cool_down, outer->cool_down, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_uint_value(own->algorithms, outer->algorithms, CLAIMGATE_RS256);
    ngx_conf_merge_uint_value(own->profile, outer->profile, CLAIMGATE_PROFILE_GENERAL);
    ngx_conf_merge_uint_value(own->subject_kind, outer->subject_kind, CLAIMGATE_SUBJECT_ANY);
    ngx_conf_merge_uint_value(own->leeway, outer->leeway, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_uint_value(own->max_age, outer->max_age, NGX_CONF_UNSET_UINT);
    if (own->audiences == NULL) own->audiences = outer->audiences;
    if (own->clients == NULL) own->clients = outer->clients;
    if (own->scopes_all == NULL) own->scopes_all = outer->scopes_all;
    if (own->scopes_any == NULL) own->scopes_any = outer->scopes_any;
    if (own->permissions_all == NULL) own->permissions_all = outer->permissions_all;
    if (own->permissions_any == NULL) own->permissions_any = outer->permissions_any;
    if (own->acr_values == NULL) own->acr_values = outer->acr_values;
    if (own->rules == NULL) own->rules = outer->rules;
    if (own->claims == NULL) own->claims = outer->claims;
    ngx_conf_merge_str_value(own->realm, outer->realm, "");
    ngx_conf_merge_str_value(own->cookie, outer->cookie, "");
    if (!own->enabled) return NGX_CONF_OK;
    char *mistake = make_policy(cf, own);
    if (mistake != NGX_CONF_OK) {
        if (mistake == NGX_CONF_ERROR) return NGX_CONF_ERROR;
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "claimgate: %s", mistake);
        return NGX_CONF_ERROR;
    }
    return find_keys(cf, own);
}

/* ---- Keys ---- */

/* Ends the fetch in progress: the requests that wait for it continue, with whatever keys there
 * are. Their connections may be others than that of the fetch. */
static void end_fetch(keys_t *keys) {
    request_t *fetching = keys->fetching;
    keys->fetching = NULL;
    if (fetching->deadline.timer_set) ngx_del_timer(&fetching->deadline);
    while (!ngx_queue_empty(&keys->waiting)) {
        ngx_queue_t *head = ngx_queue_head(&keys->waiting);
        request_t *request = ngx_queue_data(head, request_t, queue);
        ngx_queue_remove(head);
        request->waits = 0;
        ngx_post_event(request->request->connection->write, &ngx_posted_events);
    }
}

/* Ends the fetch with the request that began it. Its result is unknown: if it delayed the next
 * fetch by the cool-down, clients that disconnect could keep a withdrawn key in use. One of the
 * other requests that wait begins the next fetch. */
static void cut_off(keys_t *keys) {
    keys->cut_off_at = ngx_time();
    for (ngx_queue_t *place = ngx_queue_head(&keys->waiting);
         place != ngx_queue_sentinel(&keys->waiting); place = ngx_queue_next(place)) {
        request_t *request = ngx_queue_data(place, request_t, queue);
        if (request != keys->fetching) request->fetched = 0;
    }
    end_fetch(keys);
}

/* Returns whether a fetch that was cut off is repeated: at once without usable keys, so that
 * clients that disconnect cannot prevent it, otherwise in the next second. */
static ngx_int_t is_retry_due(const keys_t *keys, int has_keys) {
    return keys->cut_off_at != 0 && !(has_keys && keys->cut_off_at == ngx_time());
}

static void fail_fetch(keys_t *keys, const char *reason) {
    claimgate_refresh_failed(keys->refresh, (uint64_t)ngx_time());
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "claimgate: the key set of %V %s", &keys->url,
                  reason);
    end_fetch(keys);
}

/* Ends the subrequest, too. Then the request may have been freed. */
static void deadline_passed(ngx_event_t *deadline) {
    request_t *request = (request_t *)((char *)deadline - offsetof(request_t, deadline));
    if (request->keys->fetching != request) return;
    ngx_connection_t *connection = request->request->connection;
    ngx_http_upstream_t *upstream = request->subrequest->upstream;
    fail_fetch(request->keys, "was not received in 10 seconds");
    if (upstream == NULL || upstream->cleanup == NULL) return;
    (*upstream->cleanup)(request->subrequest);
    ngx_http_run_posted_requests(connection);
}

/* Runs before the memory of a request is freed. */
static void request_ended(void *data) {
    request_t *request = data;
    if (request->waits) {
        ngx_queue_remove(&request->queue);
        request->waits = 0;
    }
    if (request->keys != NULL && request->keys->fetching == request) cut_off(request->keys);
}

/* The end of the subrequest. The request continues in any case. */
static ngx_int_t fetched(ngx_http_request_t *sr, void *data, ngx_int_t rc) {
    request_t *request = data;
    keys_t *keys = request->keys;
    if (keys->fetching != request) return NGX_OK;
    if (rc == NGX_HTTP_CLIENT_CLOSED_REQUEST && sr->connection->error) {
        cut_off(keys);
        return NGX_OK;
    }
    ngx_uint_t status = sr->headers_out.status;
    claimgate_code code = CLAIMGATE_REFUSED;
    if (rc == NGX_OK && status == NGX_HTTP_OK && sr->out != NULL && sr->out->buf != NULL) {
        ngx_buf_t *body = sr->out->buf;
        claimgate_text text = {(const char *)body->pos, (size_t)(body->last - body->pos)};
        code = claimgate_issuer_set_keys(keys->issuer, text);
    }
    claimgate_refresh_complete(keys->refresh, code, (uint64_t)ngx_time());
    ngx_uint_t level = code == CLAIMGATE_OK ? NGX_LOG_NOTICE : NGX_LOG_ERR;
    ngx_log_error(level, sr->connection->log, 0,
                  "claimgate: the key set of %V: status %ui, %s", &keys->url, status,
                  claimgate_code_name(code));
    end_fetch(keys);
    return NGX_OK;
}

/* Returns the request that began the fetch to which this subrequest belongs, or NULL. */
static request_t *fetch_of(ngx_http_request_t *r) {
    for (; r != r->main; r = r->parent)
        if (r->post_subrequest != NULL && r->post_subrequest->handler == fetched)
            return r->post_subrequest->data;
    return NULL;
}

/* Discards a key set that is too large. nginx would close the client's connection. */
static ngx_int_t limit_key_set(ngx_http_request_t *r, ngx_chain_t *in) {
    request_t *request = r->subrequest_in_memory ? fetch_of(r) : NULL;
    if (request == NULL) return next_body_filter(r, in);
    ngx_http_core_loc_conf_t *core = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    size_t limit = core->subrequest_output_buffer_size, announced = limit;
    if (r->headers_out.content_length_n >= 0) announced = (size_t)r->headers_out.content_length_n;
    for (ngx_chain_t *link = in; link != NULL; link = link->next)
        if (!ngx_buf_special(link->buf))
            request->length += (size_t)(link->buf->last - link->buf->pos);
    if (announced <= limit && request->length <= announced) return next_body_filter(r, in);
    if (request->keys->fetching == request)
        fail_fetch(request->keys, "is larger than subrequest_output_buffer_size");
    for (ngx_chain_t *link = in; link != NULL; link = link->next) link->buf->pos = link->buf->last;
    return NGX_OK;
}

/* Begins a fetch of the key set with a subrequest in the background, which contains nothing of
 * the request: it has its own header, URI, body and variables. The request must neither be able
 * to choose among the issuer's key sets nor be sent to the issuer. */
static ngx_int_t begin_fetch(request_t *request, keys_t *keys) {
    ngx_http_request_t *r = request->request, *sr;
    ngx_http_core_main_conf_t *core = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    ngx_http_post_subrequest_t *end = ngx_palloc(r->pool, sizeof *end);
    ngx_http_request_body_t *body = ngx_pcalloc(r->pool, sizeof *body);
    ngx_http_variable_value_t *variables =
        ngx_pcalloc(r->pool, core->variables.nelts * sizeof *variables);
    ngx_http_headers_in_t header;
    ngx_memzero(&header, sizeof header);
    header.content_length_n = -1;
    request->fetched = 1;
    keys->cut_off_at = ngx_time();
    if (end == NULL || body == NULL || variables == NULL ||
        ngx_list_init(&header.headers, r->pool, 1, sizeof(ngx_table_elt_t)) != NGX_OK)
        return NGX_ERROR;
    end->handler = fetched;
    end->data = request;
    ngx_uint_t flags = NGX_HTTP_SUBREQUEST_IN_MEMORY | NGX_HTTP_SUBREQUEST_BACKGROUND;
    if (ngx_http_subrequest(r, &keys->location, NULL, &sr, end, flags) != NGX_OK)
        return NGX_ERROR;
    sr->headers_in = header;
    sr->headers_in.headers.last = &sr->headers_in.headers.part;
    sr->request_body = body;
    sr->variables = variables;
    sr->unparsed_uri = keys->location;
    ngx_str_null(&sr->request_line);
    keys->cut_off_at = 0;
    keys->fetching = request;
    request->keys = keys;
    request->subrequest = sr;
    request->deadline.handler = deadline_passed;
    request->deadline.data = r->connection;
    request->deadline.log = ngx_cycle->log;
    ngx_add_timer(&request->deadline, MAX_FETCH);
    return NGX_OK;
}

static ngx_int_t wait_for_fetch(request_t *request, keys_t *keys) {
    request->waits = request->fetched = 1;
    ngx_queue_insert_tail(&keys->waiting, &request->queue);
    return NGX_AGAIN;
}

/* Ensures that there are keys. NGX_AGAIN: the request waits for them; NGX_DECLINED: there are
 * none. */
static ngx_int_t prepare_keys(request_t *request, keys_t *keys) {
    if (keys->file.len > 0) {
        size_t count = 0;
        if (keys->looked_at != ngx_time()) read_file(keys, request->request->connection->log);
        time_t most = keys->max_stale == NGX_CONF_UNSET_UINT ? MAX_STALE : (time_t)keys->max_stale;
        claimgate_issuer_key_count(keys->issuer, &count);
        return count > 0 && ngx_time() - keys->confirmed_at < most ? NGX_OK : NGX_DECLINED;
    }
    uint64_t now = (uint64_t)ngx_time(), seconds = 1;
    int has_keys = claimgate_refresh_check_stale(keys->refresh, now) == CLAIMGATE_OK;
    if (request->fetched) return has_keys ? NGX_OK : NGX_DECLINED;
    /* There is one fetch at a time; with usable keys, requests do not wait for it. */
    if (keys->fetching == NULL) {
        claimgate_refresh_on_schedule(keys->refresh, now, &seconds);
        if ((seconds == 0 || is_retry_due(keys, has_keys)) && begin_fetch(request, keys) != NGX_OK)
            return NGX_ERROR;
    }
    if (has_keys) return NGX_OK;
    return keys->fetching == NULL ? NGX_DECLINED : wait_for_fetch(request, keys);
}

/* ---- Requests ---- */

/* Returns the value of the Authorization header. `count` is set to the number of values. */
static claimgate_text authorization(ngx_http_request_t *r, ngx_uint_t *count) {
    claimgate_text found = {NULL, 0};
    *count = 0;
    for (ngx_list_part_t *part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        ngx_table_elt_t *header = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (header[i].hash == 0 || header[i].key.len != sizeof "authorization" - 1 ||
                ngx_strncasecmp(header[i].key.data, (u_char *)"authorization",
                                header[i].key.len) != 0)
                continue;
            found = text_of(header[i].value);
            ++*count;
        }
    }
    return found;
}

/* Counts the cookies of this name in a Cookie header, and returns the value of the last one. */
static ngx_uint_t find_cookies(ngx_str_t header, ngx_str_t name, ngx_str_t *value) {
    ngx_uint_t count = 0;
    u_char *end = header.data + header.len;
    for (u_char *at = header.data, *next; at < end; at = next + 1) {
        next = ngx_strlchr(at, end, ';');
        if (next == NULL) next = end;
        u_char *equals = ngx_strlchr(at, next, '=');
        if (equals == NULL) continue;
        u_char *last = equals, *stop = next;
        while (at < last && (*at == ' ' || *at == '\t')) at++;
        while (at < last && (last[-1] == ' ' || last[-1] == '\t')) last--;
        if ((size_t)(last - at) != name.len || ngx_memcmp(at, name.data, name.len) != 0) continue;
        while (equals + 1 < stop && (stop[-1] == ' ' || stop[-1] == '\t')) stop--;
        value->data = equals + 1;
        value->len = (size_t)(stop - value->data);
        count++;
    }
    return count;
}

static ngx_uint_t find_all_cookies(ngx_http_request_t *r, ngx_str_t name, ngx_str_t *value) {
    ngx_uint_t count = 0;
#if (nginx_version >= 1023000)
    for (ngx_table_elt_t *header = r->headers_in.cookie; header != NULL; header = header->next)
        count += find_cookies(header->value, name, value);
#else
    ngx_table_elt_t **headers = r->headers_in.cookies.elts;
    for (ngx_uint_t i = 0; i < r->headers_in.cookies.nelts; i++)
        count += find_cookies(headers[i]->value, name, value);
#endif
    return count;
}

static ngx_int_t has_token(ngx_http_request_t *r, const loc_conf_t *own) {
    ngx_uint_t count;
    ngx_str_t cookie;
    authorization(r, &count);
    return count > 0 || (own->cookie.len > 0 && find_all_cookies(r, own->cookie, &cookie) > 0);
}

static claimgate_code validate(ngx_http_request_t *r, const loc_conf_t *own) {
    const claimgate_issuer *issuers[] = {own->keys->issuer};
    uint64_t now = (uint64_t)ngx_time();
    ngx_uint_t count;
    ngx_str_t cookie = ngx_null_string;
    claimgate_text header = authorization(r, &count);
    ngx_uint_t cookies = own->cookie.len > 0 ? find_all_cookies(r, own->cookie, &cookie) : 0;
    if (cookies > 0) {
        if (count == 0 && cookies == 1)
            return claimgate_validate_access_token(validation, issuers, 1, own->policy,
                                                   text_of(cookie), NULL, cache, now);
        count += cookies;
    }
    if (count > 1) {
        /* Two tokens in one request (RFC 6750 section 2). */
        static const char both[] = "Bearer a, Bearer b";
        header = (claimgate_text){both, sizeof both - 1};
    }
    return claimgate_validate_authorization(validation, issuers, 1, own->policy, header, NULL,
                                            cache, now);
}

/* Copies a value for variables. A value with control characters, which could end a header, is
 * omitted, and so is one with a space at an end, which recipients of a header remove. */
static ngx_int_t keep(ngx_pool_t *pool, claimgate_text text, ngx_str_t *to) {
    if (text.length > 0 && (text.data[0] == ' ' || text.data[text.length - 1] == ' '))
        return NGX_OK;
    for (size_t i = 0; i < text.length; i++) {
        u_char byte = (u_char)text.data[i];
        if (byte < 0x20 || byte == 0x7f) return NGX_OK;
    }
    to->data = ngx_pnalloc(pool, text.length);
    if (to->data == NULL) return NGX_ERROR;
    to->len = text.length;
    ngx_memcpy(to->data, text.data, text.length);
    return NGX_OK;
}

static ngx_int_t keep_claim(ngx_pool_t *pool, claim_t *claim, ngx_str_t *to) {
    static char buffer[MAX_VALUE];
    claimgate_texts path = texts_of(claim->path);
    size_t length = 0;
    int64_t integer;
    int32_t boolean;
    claimgate_code code =
        claimgate_claim_string(validation, path, buffer, sizeof buffer, &length);
    if (code == CLAIMGATE_OK) return keep(pool, (claimgate_text){buffer, length}, to);
    if (code != CLAIMGATE_CLAIM_TYPE) return NGX_OK;
    if (claimgate_claim_integer(validation, path, &integer) == CLAIMGATE_OK) {
        length = (size_t)(ngx_sprintf((u_char *)buffer, "%L", integer) - (u_char *)buffer);
        return keep(pool, (claimgate_text){buffer, length}, to);
    }
    if (claimgate_claim_boolean(validation, path, &boolean) == CLAIMGATE_OK) {
        claimgate_text text = {boolean ? "true" : "false", boolean ? 4 : 5};
        return keep(pool, text, to);
    }
    return NGX_OK;
}

static ngx_int_t keep_token(ngx_http_request_t *r, const loc_conf_t *own, request_t *request) {
    static char scope[MAX_VALUE];
    main_conf_t *main = ngx_http_get_module_main_conf(r, ngx_http_claimgate_module);
    claimgate_text text;
    size_t length = 0;
    if (claimgate_token_text(validation, CLAIMGATE_SUBJECT, &text) == CLAIMGATE_OK &&
        keep(r->pool, text, &request->subject) != NGX_OK)
        return NGX_ERROR;
    if (claimgate_token_text(validation, CLAIMGATE_CLIENT, &text) == CLAIMGATE_OK &&
        keep(r->pool, text, &request->client) != NGX_OK)
        return NGX_ERROR;
    if (claimgate_scope(validation, scope, sizeof scope, &length) == CLAIMGATE_OK &&
        keep(r->pool, (claimgate_text){scope, length}, &request->scope) != NGX_OK)
        return NGX_ERROR;
    if (own->claims == NULL) return NGX_OK;
    request->claims = ngx_pcalloc(r->pool, main->claims.nelts * sizeof(ngx_str_t));
    if (request->claims == NULL) return NGX_ERROR;
    claim_t *claims = own->claims->elts;
    for (ngx_uint_t i = 0; i < own->claims->nelts; i++)
        if (keep_claim(r->pool, &claims[i], &request->claims[claims[i].index]) != NGX_OK)
            return NGX_ERROR;
    return NGX_OK;
}

/* Responds to a rejected request. */
static ngx_int_t refuse(ngx_http_request_t *r, const loc_conf_t *own) {
    static char challenge[MAX_CHALLENGE];
    claimgate_text realm = {NULL, 0};
    uint32_t status = NGX_HTTP_INTERNAL_SERVER_ERROR;
    size_t length = 0;
    claimgate_http_status(validation, &status);
    if (own->realm.len > 0) realm = text_of(own->realm);
    if (claimgate_challenge(validation, own->policy, realm, challenge, sizeof challenge,
                            &length) != CLAIMGATE_OK)
        return (ngx_int_t)status;
    ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);
    if (header == NULL) return NGX_ERROR;
    ngx_memzero(header, sizeof *header);
    header->hash = 1;
    ngx_str_set(&header->key, "WWW-Authenticate");
    if (keep(r->pool, (claimgate_text){challenge, length}, &header->value) != NGX_OK)
        return NGX_ERROR;
    r->headers_out.www_authenticate = header;
    return (ngx_int_t)status;
}

static ngx_int_t reject(ngx_http_request_t *r, const loc_conf_t *own, claimgate_code code) {
    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "claimgate: rejected: %s",
                  claimgate_code_name(code));
    return refuse(r, own);
}

static request_t *state_of(ngx_http_request_t *r) {
    request_t *request = ngx_http_get_module_ctx(r, ngx_http_claimgate_module);
    if (request != NULL) return request;
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, 0);
    request = ngx_pcalloc(r->pool, sizeof *request);
    if (request == NULL || cleanup == NULL) return NULL;
    request->request = r;
    cleanup->handler = request_ended;
    cleanup->data = request;
    ngx_http_set_ctx(r, request, ngx_http_claimgate_module);
    return request;
}

static ngx_int_t access_handler(ngx_http_request_t *r) {
    loc_conf_t *own = ngx_http_get_module_loc_conf(r, ngx_http_claimgate_module);
    if (!own->enabled) return NGX_DECLINED;
    /* Without a token, there is no reason to fetch keys. */
    if (!has_token(r, own)) return reject(r, own, validate(r, own));
    keys_t *keys = own->keys;
    request_t *request = state_of(r);
    if (request == NULL) return NGX_ERROR;
    /* Of a stream of HTTP/2 that the client has reset. */
    if (r->connection->error) return NGX_HTTP_CLIENT_CLOSED_REQUEST;
    if (request->waits) return NGX_AGAIN;
    ngx_int_t rc = prepare_keys(request, keys);
    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "claimgate: no keys of %V", &keys->url);
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }
    if (rc != NGX_OK) return rc;
    claimgate_code code = validate(r, own);
    if (code == CLAIMGATE_OK)
        return keep_token(r, own, request) == NGX_OK ? NGX_OK : NGX_ERROR;
    if (claimgate_is_worth_a_key_refresh(code) && keys->location.len > 0 && !request->fetched) {
        uint64_t seconds = 1;
        if (keys->fetching != NULL) return wait_for_fetch(request, keys);
        claimgate_refresh_on_refusal(keys->refresh, code, (uint64_t)ngx_time(), &seconds);
        if (seconds == 0 || is_retry_due(keys, 1))
            return begin_fetch(request, keys) == NGX_OK ? wait_for_fetch(request, keys) : NGX_ERROR;
    }
    return reject(r, own, code);
}

/* ---- Variables ---- */

/* Returns the state of the request to which a variable belongs. A fetch has none: it would send
 * it to the issuer. */
static request_t *shown(ngx_http_request_t *r) {
    return fetch_of(r) != NULL ? NULL : ngx_http_get_module_ctx(r->main, ngx_http_claimgate_module);
}

static ngx_int_t show(ngx_http_variable_value_t *v, const ngx_str_t *value) {
    if (value == NULL || value->data == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;
    v->data = value->data;
    v->len = (unsigned)value->len;
    return NGX_OK;
}

static ngx_int_t token_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                                uintptr_t data) {
    request_t *request = shown(r);
    return show(v, request == NULL ? NULL : (ngx_str_t *)((char *)request + data));
}

static ngx_int_t claim_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                                uintptr_t data) {
    request_t *request = shown(r);
    return show(v, request == NULL || request->claims == NULL ? NULL : &request->claims[data]);
}

static ngx_int_t add_variables(ngx_conf_t *cf) {
    static const struct {
        ngx_str_t name;
        uintptr_t offset;
    } variables[] = {
        {ngx_string("claimgate_subject"), offsetof(request_t, subject)},
        {ngx_string("claimgate_scope"), offsetof(request_t, scope)},
        {ngx_string("claimgate_client"), offsetof(request_t, client)},
    };
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        ngx_str_t name = variables[i].name;
        ngx_http_variable_t *variable =
            ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
        if (variable == NULL) return NGX_ERROR;
        variable->get_handler = token_variable;
        variable->data = variables[i].offset;
    }
    return NGX_OK;
}

static ngx_int_t add_handlers(ngx_conf_t *cf) {
    ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_handler_pt *handler =
        ngx_array_push(&core->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (handler == NULL) return NGX_ERROR;
    *handler = access_handler;
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = limit_key_set;
    return NGX_OK;
}

static ngx_int_t init_process(ngx_cycle_t *cycle) {
    main_conf_t *main = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_claimgate_module);
    if (main == NULL || main->keys.nelts == 0) return NGX_OK;
    size_t size = claimgate_validation_size();
    void *memory = memory_of(cycle->pool, size, claimgate_validation_align());
    if (memory == NULL ||
        claimgate_validation_init(memory, size, &validation) != CLAIMGATE_OK)
        return NGX_ERROR;
    if (main->tokens == 0) return NGX_OK;
    size = claimgate_cache_size(main->tokens);
    memory = memory_of(cycle->pool, size, claimgate_cache_align());
    if (memory == NULL ||
        claimgate_cache_init(memory, size, main->tokens, &cache) != CLAIMGATE_OK)
        return NGX_ERROR;
    return NGX_OK;
}

static ngx_http_module_t module_context = {
    .preconfiguration = add_variables,
    .postconfiguration = add_handlers,
    .create_main_conf = create_main_conf,
    .init_main_conf = init_main_conf,
    .create_loc_conf = create_loc_conf,
    .merge_loc_conf = merge_loc_conf,
};

ngx_module_t ngx_http_claimgate_module = {
    NGX_MODULE_V1,
    &module_context,
    commands,
    NGX_HTTP_MODULE,
    NULL,         /* init master */
    NULL,         /* init module */
    init_process, /* init process */
    NULL,         /* init thread */
    NULL,         /* exit thread */
    NULL,         /* exit process */
    NULL,         /* exit master */
    NGX_MODULE_V1_PADDING,
};
