/* What a validation costs, in microseconds of CPU: with the signature, without it (a verifier
 * that accepts everything), and from the cache. The arguments are those of tests/misuse.c. */

#define _POSIX_C_SOURCE 199309L
#include <time.h>

#include "support.h"

static char lines[6][1 << 14];
static claimgate_validation *validation;
static const claimgate_policy *policy;
static claimgate_issuer *issuer;
static claimgate_cache *cache;

static int32_t accept(void *context, const claimgate_key_material *key, claimgate_text message,
                      claimgate_text signature) {
    (void)context, (void)key, (void)message, (void)signature;
    return 1;
}

static double microseconds(claimgate_cache *with) {
    const claimgate_issuer *issuers[] = {issuer};
    unsigned long long now = strtoull(lines[5], NULL, 10);
    double best = 1e9;
    for (int batch = 0; batch < 20; batch++) {
        struct timespec start, end;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
        for (int i = 0; i < 1000; i++)
            if (claimgate_validate_access_token(validation, issuers, 1, policy, text(lines[0]),
                                                NULL, with, now) != CLAIMGATE_OK)
                exit(1);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        double used = (double)(end.tv_sec - start.tv_sec) * 1e6 +
                      (double)(end.tv_nsec - start.tv_nsec) / 1e3;
        if (used / 1000 < best) best = used / 1000;
    }
    return best;
}

int main(int argc, char **argv) {
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (file == NULL) return 2;
    for (int i = 0; i < 6; i++) {
        if (fgets(lines[i], sizeof lines[i], file) == NULL) return 2;
        lines[i][strcspn(lines[i], "\n")] = '\0';
    }
    fclose(file);
    claimgate_access_settings settings = {.size = sizeof settings, .audience = text(lines[3])};
    claimgate_issuer_settings of = {.size = sizeof of, .url = text(lines[2])};
    size_t size = claimgate_cache_size(1024);
    void *memory = memory_of(size, claimgate_cache_align());
    static const claimgate_verifier all = {.verify = accept};
    if (claimgate_policy_init(NEW(policy), claimgate_policy_size(), &settings, &policy) ||
        claimgate_issuer_init(NEW(issuer), claimgate_issuer_size(), &of, &issuer) ||
        claimgate_validation_init(NEW(validation), claimgate_validation_size(), &validation) ||
        claimgate_cache_init(memory, size, 1024, &cache) ||
        claimgate_issuer_set_keys(issuer, text(lines[1])))
        return 1;
    double whole = microseconds(NULL), cached = microseconds(cache);
    if (claimgate_use_verifier(&all) || claimgate_issuer_set_keys(issuer, text(lines[1]))) return 1;
    double without = microseconds(NULL);
    printf("a token of %lu characters: %.2f us, of which %.2f without the signature; %.2f from the "
           "cache\n",
           (unsigned long)strlen(lines[0]), whole, without, cached);
    printf("sizes: policy %lu, issuer %lu, validation %lu, cache of 1,024 tokens %lu, refresh %lu\n",
           (unsigned long)claimgate_policy_size(), (unsigned long)claimgate_issuer_size(),
           (unsigned long)claimgate_validation_size(), (unsigned long)size,
           (unsigned long)claimgate_refresh_size());
    return 0;
}
