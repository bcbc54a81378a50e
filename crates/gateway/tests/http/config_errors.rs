//! ConfigErrors in a configuration.

use crate::settings::{SAMPLE, errors, errors_with};

#[test]
fn each_error_has_its_location() {
    let file = "jwks_file = \"../../examples/validate/demo/jwks.json\"";
    let audiences = "audiences = \"https://example.com/health-api\"";
    let issuer = "issuer 1 (https://my-domain.auth0.com/): ";
    let admin = "path = \"/admin\"";
    let rule = "{ claim = [\"realm_access\", \"roles\"], contains = \"admin\" }";
    let nothing = "the list is empty; add an element or remove the setting";
    let realm = "realm: expected visible ASCII and spaces, without \" and \\";
    let origin = "dpop.origin: expected a URL such as https://api.example.com";
    let redis = "dpop.redis: expected a URL such as redis://127.0.0.1/";
    let reserved = |name| format!("headers.{name}: the header field is reserved");
    let claim_name = "headers.X-Auth-Roles: the name of a claim is empty";
    let pattern =
        "path: patterns and queries are not supported; a path includes all paths below it";
    for (old, new, expected) in [
        ("\"127.0.0.1:9180\"", "\"here\"", "listen: invalid socket address syntax".to_owned()),
        (
            "\"127.0.0.1:9181\"",
            "\"127.0.0.1:9180\"",
            "admin_listen: must differ from listen".to_owned(),
        ),
        ("\"health\"", "\"\"", "realm: must not be empty".to_owned()),
        ("\"health\"", "'a\"b'", realm.to_owned()),
        ("\"health\"", "'a\\b'", realm.to_owned()),
        ("\"health\"", "\"a\\nb\"", realm.to_owned()),
        ("\"health\"", "\"\u{e9}\"", realm.to_owned()),
        (
            "[headers]",
            "token_header = \"a\"\ntoken_cookie = \"b\"\n[headers]",
            "token_header, token_cookie: only one of them may be set".to_owned(),
        ),
        (
            "[headers]",
            "token_header = \"Cookie\"\n[headers]",
            "token_header: must not be Authorization (the default) or Cookie (use token_cookie)".to_owned(),
        ),
        (
            "[headers]",
            "token_header = \"X-Original-URI\"\n[headers]",
            "token_header: the header field is reserved".to_owned(),
        ),
        (
            "[headers]",
            "token_cookie = \"a=b\"\n[headers]",
            "token_cookie: invalid cookie name \"a=b\"".to_owned(),
        ),
        (
            "[headers]",
            "token_header = \"X-Auth-Roles\"\n[headers]",
            "headers.X-Auth-Roles: the header field contains the token".to_owned(),
        ),
        (
            "X-Auth-Roles =",
            "Authorization =",
            "headers.Authorization: the header field is reserved".to_owned(),
        ),
        ("X-Auth-Roles =", "X-Original-URI =", reserved("X-Original-URI")),
        ("X-Auth-Roles =", "X-Accel-Redirect =", reserved("X-Accel-Redirect")),
        ("X-Auth-Roles =", "Content-Type =", reserved("Content-Type")),
        ("X-Auth-Roles =", "X-HTTP-Method-Override =", reserved("X-HTTP-Method-Override")),
        ("X-Auth-Roles =", "X-Forwarded-For =", reserved("X-Forwarded-For")),
        ("X-Auth-Roles =", "Location =", reserved("Location")),
        ("[\"realm_access\", \"roles\"]\n\n# DPoP", "\"\"\n\n# DPoP", claim_name.to_owned()),
        ("\"roles\"]\n\n# DPoP", "\"\"]\n\n# DPoP", claim_name.to_owned()),
        (
            "X-Auth-Roles =",
            "x-auth-issuer =",
            "headers.x-auth-issuer: duplicate header field (names are case-insensitive)".to_owned(),
        ),
        (
            "[\"realm_access\", \"roles\"]\n\n# DPoP",
            "[]\n\n# DPoP",
            "headers.X-Auth-Roles: the path of a claim must have one to four names".to_owned(),
        ),
        (
            "# max_connections = 1024 ",
            "max_connections = 0 ",
            "max_connections: expected 1 to 65536, found 0".to_owned(),
        ),
        (
            "# header_timeout = 10 ",
            "header_timeout = 0 ",
            "header_timeout: expected 1 to 600, found 0".to_owned(),
        ),
        (
            "# idle_timeout = 90 ",
            "idle_timeout = 86400 ",
            "idle_timeout: expected 1 to 600, found 86400".to_owned(),
        ),
        ("# threads = 2 ", "threads = 0 ", "threads: expected 1 to 256, found 0".to_owned()),
        (
            "[[issuer]]",
            "[dpop]\norigin = \"api.example.com\"\n[[issuer]]",
            origin.to_owned(),
        ),
        (
            "[[issuer]]",
            "[dpop]\norigin = \"https://api.example.com:notaport\"\n[[issuer]]",
            origin.to_owned(),
        ),
        ("[[issuer]]", "[dpop]\norigin = \"https://a.example:\"\n[[issuer]]", origin.to_owned()),
        ("[[issuer]]", "[dpop]\norigin = \"https://a.example:65536\"\n[[issuer]]", origin.to_owned()),
        (
            "[[issuer]]",
            "[dpop]\norigin = \"https://api.example.com\"\nmax_age = 601\n[[issuer]]",
            "dpop.max_age: expected 1 to 600, found 601".to_owned(),
        ),
        (
            "[[issuer]]",
            "[dpop]\norigin = \"https://api.example.com\"\nredis = \"127.0.0.1\"\n[[issuer]]",
            redis.to_owned(),
        ),
        (
            "[[issuer]]",
            "[dpop]\norigin = \"https://a.example\"\nredis = \"redis://:secret@host:99999/\"\n[[issuer]]",
            redis.to_owned(),
        ),
        (
            "[[issuer]]",
            "[dpop]\norigin = \"https://a.example\"\nredis = \"http://:secret@host/\"\n[[issuer]]",
            redis.to_owned(),
        ),
        (
            "[headers]",
            "token_header = \"X-Token\"\n[dpop]\norigin = \"https://a.example\"\n[headers]",
            "dpop: requires the token in the Authorization header field".to_owned(),
        ),
        (audiences, "", format!("{issuer}audiences: missing; set the identifier of the API in aud")),
        (audiences, "audiences = []", format!("{issuer}audiences: {nothing}")),
        (audiences, "audiences = \"\"", format!("{issuer}an identifier is empty: audience")),
        (
            audiences,
            "without_audience = true",
            format!("{issuer}without_audience: requires authorized_parties"),
        ),
        (
            audiences,
            "audiences = \"a\"\nwithout_audience = true",
            format!("{issuer}audiences, without_audience: only one of them may be set"),
        ),
        (
            audiences,
            "without_audience = true\nauthorized_parties = [\"a\"]\nprofile = \"rfc9068\"",
            format!("{issuer}without_audience: the profile rfc9068 requires an audience"),
        ),
        (
            "# authorized_parties = [\"my_client_id\"]",
            "authorized_parties = []",
            format!("{issuer}authorized_parties: {nothing}"),
        ),
        (
            "# authorized_parties = [\"my_client_id\"]",
            "authorized_parties = [\"https://example.com/health-api\"]",
            format!("{issuer}an audience equals a client ID"),
        ),
        (
            "# algorithms = [\"PS256\", \"ES256\"]",
            "algorithms = [\"HS256\"]",
            format!("{issuer}algorithms: unsupported algorithm \"HS256\""),
        ),
        (
            "# algorithms = [\"PS256\", \"ES256\"]",
            "algorithms = []",
            format!("{issuer}algorithms: {nothing}"),
        ),
        ("# leeway = 60 ", "leeway = 601 ", format!("{issuer}leeway: expected 0 to 600, found 601")),
        (
            "# max_token_age = 86400 ",
            "max_token_age = 18446744073709551615 ",
            format!("{issuer}max_token_age: expected 1 to 31622400, found 18446744073709551615"),
        ),
        (
            "# max_token_age = 86400 ",
            "max_token_age = 9223372036854775807 ",
            format!("{issuer}max_token_age: expected 1 to 31622400, found 9223372036854775807"),
        ),
        (
            "# max_lifetime = 86400 ",
            "max_lifetime = 0 ",
            format!("{issuer}max_lifetime: expected 1 to 31622400, found 0"),
        ),
        (
            "# jwks_max_age = 3600 ",
            "jwks_max_age = 31536000 ",
            format!("{issuer}jwks_max_age: expected 1 to 2678400, found 31536000"),
        ),
        (
            "# jwks_max_stale = 86400 ",
            "jwks_max_stale = 3599 ",
            format!(
                "{issuer}jwks_max_stale: 3599 is less than jwks_max_age, 3600"
            ),
        ),
        (
            "# jwks_max_age = 3600 ",
            "jwks_max_age = 86401 ",
            format!("{issuer}jwks_max_stale: 86400 is less than jwks_max_age, 86401"),
        ),
        (
            "# cool_down = 60 ",
            "cool_down = 0 ",
            format!("{issuer}cool_down: expected 1 to 86400, found 0"),
        ),
        (
            "# cool_down = 60 ",
            "cool_down = 4 ",
            format!("{issuer}cool_down: 4 is less than timeout, 5"),
        ),
        (
            "# max_back_off = 900 ",
            "max_back_off = 86401 ",
            format!("{issuer}max_back_off: expected 1 to 86400, found 86401"),
        ),
        ("# timeout = 5 ", "timeout = 31 ", format!("{issuer}timeout: expected 1 to 30, found 31")),
        (
            "# max_response = 262144 ",
            "max_response = 100 ",
            format!("{issuer}max_response: expected 1024 to 16777216, found 100"),
        ),
        (
            "# max_waiting = 256 ",
            "max_waiting = 1000000 ",
            format!("{issuer}max_waiting: expected 0 to 65535, found 1000000"),
        ),
        (
            "# max_waiting = 256 ",
            "max_waiting = 1024 ",
            "max_waiting: the sum of all issuers, 1024, is not less than max_connections, 1024"
                .to_owned(),
        ),
        ("# max_wait = 10 ", "max_wait = 61 ", format!("{issuer}max_wait: expected 1 to 60, found 61")),
        (
            "# forward_proxy = \"proxy.example.com:3128\"",
            "forward_proxy = \"http://user:secret@proxy.example.com:3128\"",
            format!("{issuer}forward_proxy: expected a host and port such as proxy.example.com:3128"),
        ),
        (
            "# root_certificates = \"ca.pem\"",
            "root_certificates = \"not-there.pem\"",
            format!("{issuer}root_certificates: No such file or directory (os error 2)"),
        ),
        (
            file,
            "jwks_file = \"a\"\njwks_url = \"https://issuer.example/\"",
            format!("{issuer}discovery_url, jwks_url, jwks_file: only one of them may be set"),
        ),
        (
            file,
            "jwks_url = \"http://issuer.example/jwks.json\"",
            format!(
                "{issuer}plain HTTP is allowed only for loopback hosts, and only with an \
                 explicit setting: http://issuer.example/jwks.json"
            ),
        ),
        (
            file,
            "jwks_url = \"http://127.0.0.1/jwks.json\"",
            format!(
                "{issuer}plain HTTP is allowed only for loopback hosts, and only with an \
                 explicit setting: http://127.0.0.1/jwks.json"
            ),
        ),
        (
            file,
            "jwks_url = \"http://localhost.example/\"\ndanger_allow_loopback_http = true",
            format!(
                "{issuer}plain HTTP is allowed only for loopback hosts, and only with an \
                 explicit setting: http://localhost.example/"
            ),
        ),
        (
            file,
            "jwks_url = \"http://not-localhost/\"\ndanger_allow_loopback_http = true",
            format!(
                "{issuer}plain HTTP is allowed only for loopback hosts, and only with an \
                 explicit setting: http://not-localhost/"
            ),
        ),
        (
            file,
            "jwks_url = \"ftp://issuer.example/\"",
            format!("{issuer}invalid URL: ftp://issuer.example/"),
        ),
        (
            file,
            "jwks_url = \"https://user:secret@issuer.example/\"",
            format!("{issuer}jwks_url: must not contain a user name or a password"),
        ),
        (
            file,
            "discovery_url = \"https://user:secret@issuer.example/\"",
            format!("{issuer}discovery_url: must not contain a user name or a password"),
        ),
        (
            "url = \"https://my-domain.auth0.com/\"",
            "url = \"https://user:secret@my-domain.auth0.com/\"",
            "issuer 1 (…): url: must not contain a user name or a password".to_owned(),
        ),
        (
            admin,
            "path = \"admin\"",
            "route 3 (admin): path: does not start with a slash".to_owned(),
        ),
        (
            admin,
            "path = \"/a/../b\"",
            "route 3 (/a/../b): path: contains the segment . or ..".to_owned(),
        ),
        (admin, "path = \"/a#b\"", "route 3 (/a#b): path: contains a fragment".to_owned()),
        (admin, "path = \"/a?x=y\"", format!("route 3 (/a?x=y): {pattern}")),
        (admin, "path = \"/admin/*\"", format!("route 3 (/admin/*): {pattern}")),
        (admin, "path = \"/admin/{id}\"", format!("route 3 (/admin/{{id}}): {pattern}")),
        (admin, "path = \"/admin/:id\"", format!("route 3 (/admin/:id): {pattern}")),
        (admin, "path = \"^/admin\"", format!("route 3 (^/admin): {pattern}")),
        (
            admin,
            "path = \"/patients\"",
            "route 3 (/patients): methods: overlap with the methods of another route for the \
             same path"
                .to_owned(),
        ),
        (
            "\"POST\", \"PUT\"",
            "\"GET\", \"PUT\"",
            "route 2 (/patients): methods: overlap with the methods of another route for the \
             same path"
                .to_owned(),
        ),
        (
            "\"GET\", \"HEAD\"",
            "\"GET\", \"head\"",
            "route 1 (/patients): methods: expected \"HEAD\", found \"head\": methods are \
             case-sensitive".to_owned(),
        ),
        (
            "\"GET\", \"HEAD\"",
            "\"GET\", \"GET\"",
            "route 1 (/patients): methods: duplicate method \"GET\"".to_owned(),
        ),
        (
            "\"GET\", \"HEAD\"",
            "\"G T\"",
            "route 1 (/patients): methods: invalid method \"G T\"".to_owned(),
        ),
        (
            "methods = [\"GET\", \"HEAD\"]",
            "methods = []",
            format!("route 1 (/patients): methods: {nothing}"),
        ),
        (
            "scopes_any = [\"admin\", \"read:admin\"]",
            "scopes_any = []",
            "route 3 (/admin): scopes_any: a list is empty: scope tokens".to_owned(),
        ),
        (
            "[\"admin\", \"read:admin\"]",
            "[\"read admin\"]",
            "route 3 (/admin): scopes_any: a scope token is empty or contains invalid characters"
                .to_owned(),
        ),
        (
            "valid_token_suffices = true",
            "",
            "route 4 (/profile): no scopes, permissions or claims are required; add some, or set \
             valid_token_suffices = true"
                .to_owned(),
        ),
        (
            "valid_token_suffices = true",
            "valid_token_suffices = true\nscopes_all = [\"a\"]",
            "route 4 (/profile): valid_token_suffices: conflicts with required scopes, \
             permissions or claims".to_owned(),
        ),
        (
            "token = \"optional\"",
            "token = \"optional\"\nscopes_all = [\"a\"]",
            "route 5 (/news): token: an optional token conflicts with required scopes, \
             permissions or claims"
                .to_owned(),
        ),
        (
            "valid_token_suffices = true",
            "valid_token_suffices = true\nissuers = \"https://other.example\"",
            "route 4 (/profile): issuers: no [[issuer]] has the url https://other.example"
                .to_owned(),
        ),
        (
            "valid_token_suffices = true",
            "valid_token_suffices = true\nissuers = []",
            format!("route 4 (/profile): issuers: {nothing}"),
        ),
        (
            "valid_token_suffices = true",
            "valid_token_suffices = true\naudiences = []",
            format!("route 4 (/profile): audiences: {nothing}"),
        ),
        (
            rule,
            "{ claim = \"a\" }",
            "route 3 (/admin): claims: \"a\" requires exactly one of equals, one_of and contains".to_owned(),
        ),
        (
            rule,
            "{ claim = [\"a\", \"b\", \"c\", \"d\", \"e\"], equals = 1 }",
            "route 3 (/admin): claims: the path of a claim rule is empty or has more than four names"
                .to_owned(),
        ),
        (
            rule,
            "{ claim = \"a\", one_of = [] }",
            "route 3 (/admin): claims: a list is empty: claim values".to_owned(),
        ),
        (
            &format!("claims = [\n    {rule}"),
            "claims = [\n#",
            "route 3 (/admin): claims: the list is empty; add an element or remove the setting".to_owned(),
        ),
    ] {
        let found = errors_with(old, new);
        assert_eq!(found, [expected], "{new}");
        assert!(!found.iter().any(|error| error.contains("secret")), "{found:#?}");
    }
}

#[test]
fn a_syntax_error_has_its_line() {
    for (old, new, expected) in [
        ("realm = \"health\"", "realms = \"health\"", "unknown field `realms`"),
        ("proxy = \"nginx\"", "proxy = \"apache\"", "unknown variant `apache`"),
        ("realm = \"health\"", "realm = 5", "invalid type: integer `5`"),
        ("realm = \"health\"", "", "missing field `realm`"),
        ("scopes_any =", "scope_any =", "unknown field `scope_any`"),
        ("# leeway = 60 ", "leeway = -1 ", "invalid value: integer `-1`"),
        ("contains = \"admin\"", "contain = \"admin\"", "unknown field `contain`"),
        ("{ first_of = [\"azp\", \"client_id\"] }", "5", "a name, a list of names"),
    ] {
        let found = errors_with(old, new);
        assert!(found.len() == 1 && found[0].contains(expected), "{new}: {found:#?}");
        assert!(found[0].starts_with("line "), "{found:#?}");
    }
}

#[test]
fn an_error_does_not_quote_a_password() {
    let issuer = "[[issuer]]";
    for (old, new, expected) in [
        // No closing quote.
        (
            issuer,
            "[dpop]\nredis = \"redis://:secret@host/\n[[issuer]]",
            "invalid basic string, expected `\"`",
        ),
        // No equals sign.
        (
            issuer,
            "[dpop]\nredis \"redis://:secret@host/\"\n[[issuer]]",
            "key with no value, expected `=`",
        ),
        (
            issuer,
            "[dpop]\norigin = \"https://a.example\"\nmax_age = \"redis://:secret@host/\"\n[[issuer]]",
            "invalid type: string \"…\", expected u64",
        ),
        (
            issuer,
            "[dpop]\norigin = \"https://a.example\"\nmax_age = 'a\"b`secret`\"c'\n[[issuer]]",
            "invalid type: string \"…\", expected u64",
        ),
        (
            issuer,
            "[dpop]\norigin = \"https://a.example\"\n\"redis://:secret@host/\" = 1\n[[issuer]]",
            "unknown field `…`, expected one of `origin`, `max_age`, `redis`",
        ),
        (
            "proxy = \"nginx\"",
            "proxy = \"redis://:a`b`secret@host/\"",
            "unknown variant `…`, expected one of `nginx`, `traefik`, `caddy`, `envoy`, `haproxy`",
        ),
        ("# leeway = 60 ", "leeway = \"redis://:secret@host/\" ", "expected u64"),
    ] {
        let found = errors_with(old, new);
        assert!(found.len() == 1 && found[0].contains(expected), "{new}: {found:?}");
        assert!(!found[0].contains("secret"), "{found:?}");
    }
}

#[test]
fn all_errors_are_reported_at_once() {
    let found = errors("listen = \"x\"\nproxy = \"envoy\"\nrealm = \"\"\n");
    assert_eq!(
        found,
        [
            "listen: invalid socket address syntax",
            "realm: must not be empty",
            "no [[issuer]] is configured: every token would be rejected",
            "no [[route]] is configured: every request would be refused",
        ]
    );
    let twice = format!(
        "{SAMPLE}\n[[issuer]]\nurl = \"https://my-domain.auth0.com/\"\naudiences = \"a\"\n\
         jwks_file = \"j\""
    );
    let expected = "issuer 2 (https://my-domain.auth0.com/): url: duplicate issuer";
    assert_eq!(errors(&twice), [expected]);
}

#[test]
fn the_waiting_requests_of_all_issuers_are_limited() {
    let with = |connections: u64, first: &str, second: &str| {
        let connections = format!("max_connections = {connections} ");
        let text = SAMPLE.replacen("# max_connections = 1024 ", &connections, 1);
        let text = text.replacen("# max_waiting = 256 ", first, 1);
        errors(&format!(
            "{text}\n[[issuer]]\nurl = \"https://other.example/\"\naudiences = \"a\"\n\
             jwks_file = \"j\"\n{second}"
        ))
    };
    let sum = |sum: u64| {
        vec![format!(
            "max_waiting: the sum of all issuers, {sum}, is not less than max_connections, {sum}"
        )]
    };
    for (connections, first, second, expected) in [
        // By default, an eighth for each of the two issuers.
        (8, "", "", vec![]),
        (8, "max_waiting = 6 ", "", vec![]),
        (8, "max_waiting = 7 ", "", sum(8)),
        (8, "max_waiting = 4 ", "max_waiting = 3", vec![]),
        (8, "max_waiting = 4 ", "max_waiting = 4", sum(8)),
        // At least one, where that is less than all connections.
        (3, "max_waiting = 1 ", "", vec![]),
        (3, "max_waiting = 2 ", "", sum(3)),
        (2, "", "", vec![]),
        (2, "max_waiting = 1 ", "", vec![]),
    ] {
        assert_eq!(with(connections, first, second), expected, "{connections} {first} {second}");
    }
}
