//! Mistakes in a configuration.

use crate::settings::{SAMPLE, mistakes, mistakes_with};

#[test]
fn every_mistake_is_told_with_its_place() {
    let file = "jwks_file = \"../../examples/validate/demo/jwks.json\"";
    let audiences = "audiences = \"https://example.com/health-api\"";
    let issuer = "issuer 1 (https://my-domain.auth0.com/): ";
    let admin = "path = \"/admin\"";
    let rule = "{ claim = [\"realm_access\", \"roles\"], contains = \"admin\" }";
    let nothing = "it is empty; leave it out, or name some";
    let pattern = "path: it is compared as it is, without patterns and queries, and contains all \
                   paths below it";
    for (old, new, expected) in [
        ("\"127.0.0.1:9180\"", "\"here\"", "listen: invalid socket address syntax".to_owned()),
        (
            "\"127.0.0.1:9181\"",
            "\"127.0.0.1:9180\"",
            "admin_listen: it is the address of listen; clients could read metrics".to_owned(),
        ),
        ("\"health\"", "\"\"", "realm: it is empty; name what is protected".to_owned()),
        (
            "[headers]",
            "token_header = \"a\"\ntoken_cookie = \"b\"\n[headers]",
            "token_header, token_cookie: only one can be right".to_owned(),
        ),
        (
            "[headers]",
            "token_header = \"Cookie\"\n[headers]",
            "token_header: leave it out, or use token_cookie".to_owned(),
        ),
        (
            "[headers]",
            "token_cookie = \"a=b\"\n[headers]",
            "token_cookie: \"a=b\" is not a name of a cookie".to_owned(),
        ),
        (
            "[headers]",
            "token_header = \"X-Auth-Roles\"\n[headers]",
            "headers.X-Auth-Roles: this field is used for something else".to_owned(),
        ),
        (
            "X-Auth-Roles =",
            "Authorization =",
            "headers.Authorization: this field is used for something else".to_owned(),
        ),
        (
            "X-Auth-Roles =",
            "x-auth-issuer =",
            "headers.x-auth-issuer: it is named twice, since case does not matter".to_owned(),
        ),
        (
            "[\"realm_access\", \"roles\"]\n\n# DPoP",
            "[]\n\n# DPoP",
            "headers.X-Auth-Roles: the path of a claim has one to four names".to_owned(),
        ),
        (
            "# max_connections = 1024 ",
            "max_connections = 0 ",
            "max_connections: it has to be 1 to 65536".to_owned(),
        ),
        (
            "# header_timeout = 10 ",
            "header_timeout = 0 ",
            "header_timeout: it has to be 1 to 600".to_owned(),
        ),
        (
            "# idle_timeout = 90 ",
            "idle_timeout = 86400 ",
            "idle_timeout: it has to be 1 to 600".to_owned(),
        ),
        ("# threads = 2 ", "threads = 0 ", "threads: it has to be 1 to 256".to_owned()),
        (
            "[[issuer]]",
            "[dpop]\norigin = \"api.example.com\"\n[[issuer]]",
            "dpop.origin: it has to be like https://api.example.com".to_owned(),
        ),
        (
            "[[issuer]]",
            "[dpop]\norigin = \"https://api.example.com\"\nmax_age = 601\n[[issuer]]",
            "dpop.max_age: it has to be 1 to 600".to_owned(),
        ),
        (
            "[[issuer]]",
            "[dpop]\norigin = \"https://api.example.com\"\nredis = \"127.0.0.1\"\n[[issuer]]",
            "dpop.redis: it has to be like redis://127.0.0.1/".to_owned(),
        ),
        (
            "[headers]",
            "token_header = \"X-Token\"\n[dpop]\norigin = \"https://a.example\"\n[headers]",
            "dpop: it needs the token in the Authorization header field".to_owned(),
        ),
        (audiences, "", format!("{issuer}audiences: name the identifier of the API")),
        (audiences, "audiences = []", format!("{issuer}audiences: {nothing}")),
        (audiences, "audiences = \"\"", format!("{issuer}an identifier is empty: audience")),
        (
            audiences,
            "without_audience = true",
            format!("{issuer}without_audience: it needs authorized_parties"),
        ),
        (
            audiences,
            "audiences = \"a\"\nwithout_audience = true",
            format!("{issuer}audiences, without_audience: only one can be right"),
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
            format!("{issuer}algorithms: \"HS256\" is not one that is verified"),
        ),
        (
            "# algorithms = [\"PS256\", \"ES256\"]",
            "algorithms = []",
            format!("{issuer}algorithms: {nothing}"),
        ),
        ("# leeway = 60 ", "leeway = 601 ", format!("{issuer}leeway: it has to be 0 to 600")),
        (
            "# max_token_age = 86400 ",
            "max_token_age = 18446744073709551615 ",
            format!("{issuer}max_token_age: it has to be 1 to 31622400"),
        ),
        (
            "# max_token_age = 86400 ",
            "max_token_age = 9223372036854775807 ",
            format!("{issuer}max_token_age: it has to be 1 to 31622400"),
        ),
        (
            "# max_lifetime = 86400 ",
            "max_lifetime = 0 ",
            format!("{issuer}max_lifetime: it has to be 1 to 31622400"),
        ),
        (
            "# jwks_max_age = 3600 ",
            "jwks_max_age = 31536000 ",
            format!("{issuer}jwks_max_age: it has to be 1 to 2678400"),
        ),
        (
            "# jwks_max_stale = 86400 ",
            "jwks_max_stale = 3599 ",
            format!(
                "{issuer}jwks_max_stale: keys would not be trusted until they are fetched again"
            ),
        ),
        (
            "# cool_down = 60 ",
            "cool_down = 0 ",
            format!("{issuer}cool_down: it has to be 1 to 86400"),
        ),
        (
            "# cool_down = 60 ",
            "cool_down = 4 ",
            format!("{issuer}cool_down: it is shorter than the timeout of a fetch"),
        ),
        (
            "# max_back_off = 900 ",
            "max_back_off = 86401 ",
            format!("{issuer}max_back_off: it has to be 1 to 86400"),
        ),
        ("# timeout = 5 ", "timeout = 31 ", format!("{issuer}timeout: it has to be 1 to 30")),
        (
            "# max_response = 262144 ",
            "max_response = 100 ",
            format!("{issuer}max_response: it has to be 1024 to 16777216"),
        ),
        (
            "# max_waiting = 1024 ",
            "max_waiting = 1000000 ",
            format!("{issuer}max_waiting: it has to be 0 to 65536"),
        ),
        ("# max_wait = 10 ", "max_wait = 61 ", format!("{issuer}max_wait: it has to be 1 to 60")),
        (
            "# forward_proxy = \"proxy.example.com:3128\"",
            "forward_proxy = \"http://user:secret@proxy.example.com:3128\"",
            format!("{issuer}forward_proxy: it has to be like proxy.example.com:3128"),
        ),
        (
            "# root_certificates = \"ca.pem\"",
            "root_certificates = \"not-there.pem\"",
            format!("{issuer}root_certificates: No such file or directory (os error 2)"),
        ),
        (
            file,
            "jwks_file = \"a\"\njwks_url = \"https://issuer.example/\"",
            format!("{issuer}discovery_url, jwks_url, jwks_file: only one can be right"),
        ),
        (
            file,
            "jwks_url = \"http://issuer.example/jwks.json\"",
            format!(
                "{issuer}keys are fetched by plain HTTP only from the loopback interface, and \
                 only if that is allowed: http://issuer.example/jwks.json"
            ),
        ),
        (
            file,
            "jwks_url = \"http://127.0.0.1/jwks.json\"",
            format!(
                "{issuer}keys are fetched by plain HTTP only from the loopback interface, and \
                 only if that is allowed: http://127.0.0.1/jwks.json"
            ),
        ),
        (
            file,
            "jwks_url = \"http://localhost.example/\"\ndanger_allow_loopback_http = true",
            format!(
                "{issuer}keys are fetched by plain HTTP only from the loopback interface, and \
                 only if that is allowed: http://localhost.example/"
            ),
        ),
        (
            file,
            "jwks_url = \"http://not-localhost/\"\ndanger_allow_loopback_http = true",
            format!(
                "{issuer}keys are fetched by plain HTTP only from the loopback interface, and \
                 only if that is allowed: http://not-localhost/"
            ),
        ),
        (
            file,
            "jwks_url = \"ftp://issuer.example/\"",
            format!("{issuer}keys cannot be fetched from this URL: ftp://issuer.example/"),
        ),
        (
            file,
            "jwks_url = \"https://user:secret@issuer.example/\"",
            format!("{issuer}jwks_url: it contains a user or a password"),
        ),
        (
            file,
            "discovery_url = \"https://user:secret@issuer.example/\"",
            format!("{issuer}discovery_url: it contains a user or a password"),
        ),
        (
            "url = \"https://my-domain.auth0.com/\"",
            "url = \"https://user:secret@my-domain.auth0.com/\"",
            "issuer 1 (…): url: it contains a user or a password".to_owned(),
        ),
        (
            admin,
            "path = \"admin\"",
            "route 3 (admin): path: it does not begin with a slash".to_owned(),
        ),
        (
            admin,
            "path = \"/a/../b\"",
            "route 3 (/a/../b): path: it has . or .. as a segment".to_owned(),
        ),
        (admin, "path = \"/a#b\"", "route 3 (/a#b): path: it has a #".to_owned()),
        (admin, "path = \"/a?x=y\"", format!("route 3 (/a?x=y): {pattern}")),
        (admin, "path = \"/admin/*\"", format!("route 3 (/admin/*): {pattern}")),
        (admin, "path = \"/admin/{id}\"", format!("route 3 (/admin/{{id}}): {pattern}")),
        (admin, "path = \"/admin/:id\"", format!("route 3 (/admin/:id): {pattern}")),
        (admin, "path = \"^/admin\"", format!("route 3 (^/admin): {pattern}")),
        (
            admin,
            "path = \"/patients\"",
            "route 3 (/patients): methods: another route of this path accepts them, too; a path \
             with several routes needs distinct methods for each"
                .to_owned(),
        ),
        (
            "\"POST\", \"PUT\"",
            "\"GET\", \"PUT\"",
            "route 2 (/patients): methods: another route of this path accepts them, too; a path \
             with several routes needs distinct methods for each"
                .to_owned(),
        ),
        (
            "\"GET\", \"HEAD\"",
            "\"GET\", \"head\"",
            "route 1 (/patients): methods: \"head\" is not \"HEAD\": their case matters".to_owned(),
        ),
        (
            "\"GET\", \"HEAD\"",
            "\"GET\", \"GET\"",
            "route 1 (/patients): methods: \"GET\" is named twice".to_owned(),
        ),
        (
            "\"GET\", \"HEAD\"",
            "\"G T\"",
            "route 1 (/patients): methods: \"G T\" is not a method, such as \"GET\"".to_owned(),
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
            "route 3 (/admin): scopes_any: a scope token is empty or has characters that scopes \
             cannot have"
                .to_owned(),
        ),
        (
            "valid_token_suffices = true",
            "",
            "route 4 (/profile): it requires nothing of a token: name scopes, permissions or \
             claims, or say valid_token_suffices = true"
                .to_owned(),
        ),
        (
            "valid_token_suffices = true",
            "valid_token_suffices = true\nscopes_all = [\"a\"]",
            "route 4 (/profile): valid_token_suffices: and yet it requires something".to_owned(),
        ),
        (
            "token = \"optional\"",
            "token = \"optional\"\nscopes_all = [\"a\"]",
            "route 5 (/news): token: a request without one would pass, and one whose token lacks \
             something would not"
                .to_owned(),
        ),
        (
            "valid_token_suffices = true",
            "valid_token_suffices = true\nissuers = \"https://other.example\"",
            "route 4 (/profile): issuers: there is no [[issuer]] of the URL https://other.example"
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
            "route 3 (/admin): claims: \"a\" needs one of equals, one_of and contains".to_owned(),
        ),
        (
            rule,
            "{ claim = [\"a\", \"b\", \"c\", \"d\", \"e\"], equals = 1 }",
            "route 3 (/admin): claims: the path of a claim rule has no names or more than four"
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
            "route 3 (/admin): claims: it is empty; leave it out, or name some".to_owned(),
        ),
    ] {
        let found = mistakes_with(old, new);
        assert!(found.contains(&expected), "{new}: {found:#?}");
        assert!(!found.iter().any(|mistake| mistake.contains("secret")), "{found:#?}");
    }
}

#[test]
fn what_is_not_a_configuration_is_told_with_its_line() {
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
        let found = mistakes_with(old, new);
        assert!(found.len() == 1 && found[0].contains(expected), "{new}: {found:#?}");
        assert!(found[0].starts_with("line "), "{found:#?}");
    }
    // A line may contain a password.
    let found = mistakes_with("[[issuer]]", "[dpop]\nredis = \"redis://:secret@host/\n[[issuer]]");
    assert!(!found[0].contains("secret"), "{found:?}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let found = mistakes("listen = \"x\"\nproxy = \"envoy\"\nrealm = \"\"\n");
    assert_eq!(
        found,
        [
            "listen: invalid socket address syntax",
            "realm: it is empty; name what is protected",
            "there is no [[issuer]]: no token would be accepted",
            "there is no [[route]]: every request would be refused",
        ]
    );
    let twice = format!(
        "{SAMPLE}\n[[issuer]]\nurl = \"https://my-domain.auth0.com/\"\naudiences = \"a\"\n\
         jwks_file = \"j\""
    );
    let expected =
        "issuer 2 (https://my-domain.auth0.com/): url: there is another issuer of this URL";
    assert_eq!(mistakes(&twice), [expected]);
}
