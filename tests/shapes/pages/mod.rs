//! The settings of the pages in `docs`, run on their shapes.
//!
//! Each module here contains the code of one page, word for word, and runs it. A policy that
//! is run on nothing, and a field that is never read, are warnings of the compiler.

mod amazon_cognito;
mod apple;
mod auth0;
mod auth0_management;
mod cloudflare_access;
mod firebase;
mod former_subject;
mod github_actions;
mod gitlab;
mod google;
mod keycloak;
mod kubernetes;
mod microsoft_entra;
mod microsoft_entra_tenants;
mod okta;
mod spiffe;
mod supabase;
mod zitadel;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, IdToken, IdTokenPolicy, Issuer, JwkSet,
    Login, TokenBuffer, Validated,
};
use serde_json::{Value, json};

use super::signers::{AnySigner, TestAnyKey};
use super::support::NOW;
use super::table::{OK, Shape, shapes};

/// A page in `docs`.
struct Page {
    /// The name of the file, without `.md`.
    name: &'static str,
    /// The common prefix of the names of its shapes.
    shapes: &'static str,
    /// An issuer that the page names.
    issuer: &'static str,
    algorithm: Algorithm,
    /// The modules with its blocks of code, in their order.
    code: &'static [&'static str],
    run: fn(&Page),
}

/// Declares the pages, and a test for each.
macro_rules! pages {
    ($($name:ident $file:literal $shapes:literal $algorithm:ident $issuer:literal
        [$($code:literal)*];)*) => {
        const PAGES: &[Page] = &[$(Page {
            name: $file,
            shapes: $shapes,
            issuer: $issuer,
            algorithm: Algorithm::$algorithm,
            code: &[$(include_str!($code)),*],
            run: $name::run,
        }),*];

        mod run {
            $(#[test]
            fn $name() {
                let page = super::PAGES.iter().find(|page| page.name == $file).unwrap();
                (page.run)(page);
            })*
        }
    };
}

pages! {
    amazon_cognito "amazon-cognito" "Amazon Cognito" Rs256
        "https://cognito-idp.REGION.amazonaws.com/POOL_ID" ["amazon_cognito.rs"];
    apple "apple" "Apple" Rs256 "https://appleid.apple.com" ["apple.rs"];
    auth0 "auth0" "Auth0" Rs256 "https://TENANT.REGION.auth0.com/"
        ["auth0.rs" "auth0_management.rs"];
    cloudflare_access "cloudflare-access" "Cloudflare Access" Rs256
        "https://TEAM.cloudflareaccess.com" ["cloudflare_access.rs"];
    firebase "firebase" "Firebase" Rs256 "https://securetoken.google.com/PROJECT_ID"
        ["firebase.rs"];
    github_actions "github-actions" "GitHub Actions" Rs256
        "https://token.actions.githubusercontent.com" ["github_actions.rs"];
    gitlab "gitlab" "GitLab" Rs256 "https://gitlab.com" ["gitlab.rs"];
    google "google" "Google" Rs256 "https://accounts.google.com" ["google.rs"];
    keycloak "keycloak" "Keycloak" Rs256 "https://HOST/realms/REALM" ["keycloak.rs"];
    kubernetes "kubernetes" "Kubernetes" Rs256 "https://kubernetes.default.svc.cluster.local"
        ["kubernetes.rs"];
    microsoft_entra "microsoft-entra" "Microsoft" Rs256
        "https://login.microsoftonline.com/TENANT_ID/v2.0"
        ["microsoft_entra.rs" "microsoft_entra_tenants.rs"];
    okta "okta" "Okta" Rs256 "https://DOMAIN/oauth2/default" ["okta.rs"];
    spiffe "spiffe" "SPIFFE" Es256 "https://oidc.example.org" ["spiffe.rs"];
    supabase "supabase" "Supabase" Es256 "https://PROJECT_REF.supabase.co/auth/v1" ["supabase.rs"];
    zitadel "zitadel" "Zitadel" Rs256 "https://INSTANCE.REGION.zitadel.cloud" ["zitadel.rs"];
}

/// The pages without settings.
const OTHER_PAGES: [&str; 3] =
    ["from-auth0-documentation-to-code", "from-jsonwebtoken", "instead-of-decoding"];

/// The prefixes of the names of shapes without a page.
const OTHER_SHAPES: [&str; 13] = [
    "Logto",
    "RFC 7523 ",
    "RFC 8417:",
    "RFC 8693 ",
    "RFC 9068 ",
    "RFC 9101 ",
    "RFC 9449 ",
    "RFC 9701 ",
    "OIDC ",
    "FAPI ",
    "JARM ",
    "DPoP proof ",
    // Mixtures: ID token, access token, logout token.
    "",
];

impl Page {
    fn issuer(&self) -> Issuer<TestAnyKey, 4> {
        Issuer::new(self.issuer, self.keys()).unwrap()
    }

    fn keys(&self) -> JwkSet<TestAnyKey, 4> {
        let jwks = json!({"keys": [AnySigner::a(self.algorithm).jwk()]});
        JwkSet::from_json(&jwks.to_string()).unwrap()
    }

    /// The token of a shape of this page, by its issuer, with these claims changed.
    #[track_caller]
    fn token(&self, what: &str, changes: &Value) -> String {
        assert!(what.starts_with(self.shapes), "{what} is not on the page {}", self.name);
        let found = shapes().into_iter().find(|shape| shape.what == what);
        let Shape { typ, mut claims, .. } = found.unwrap_or_else(|| panic!("no shape {what}"));
        claims["iss"] = json!(self.issuer);
        claims = merged(claims, changes);
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let signer = AnySigner::a(self.algorithm);
        let mut header = json!({"alg": self.algorithm.name(), "kid": signer.kid});
        if let Some(typ) = typ {
            header["typ"] = json!(typ);
        }
        signer.sign_with(&header, &claims)
    }

    #[track_caller]
    fn accepts(
        &self,
        policy: &AccessTokenPolicy<'_>,
        (shape, changes): (&str, Value),
        examine: impl FnOnce(&Validated<AccessToken<'_>>),
    ) {
        let (token, issuer) = (self.token(shape, &changes), self.issuer());
        let (token, mut buffer) = (BearerToken::new(&token), TokenBuffer::<8_192>::new());
        let token = AccessToken::validate(token, (&issuer, policy), NOW, &mut buffer);
        examine(&token.unwrap_or_else(|error| panic!("{shape}: {error}")));
    }

    #[track_caller]
    fn refuses(&self, policy: &AccessTokenPolicy<'_>, (shape, changes): (&str, Value), code: &str) {
        let (token, issuer) = (self.token(shape, &changes), self.issuer());
        let (token, mut buffer) = (BearerToken::new(&token), TokenBuffer::<8_192>::new());
        let verdict = AccessToken::validate(token, (&issuer, policy), NOW, &mut buffer);
        assert_eq!(verdict.map_or_else(|error| error.code(), |_| OK), code, "{shape}");
    }

    #[track_caller]
    fn accepts_login(
        &self,
        policy: &IdTokenPolicy<'_>,
        login: Login<'_>,
        (shape, changes): (&str, Value),
        examine: impl FnOnce(&Validated<IdToken<'_>>),
    ) {
        let (token, issuer) = (self.token(shape, &changes), self.issuer());
        let mut buffer = TokenBuffer::<8_192>::new();
        let token = IdToken::validate(&token, (&issuer, policy), login, NOW, &mut buffer);
        examine(&token.unwrap_or_else(|error| panic!("{shape}: {error}")));
    }

    #[track_caller]
    fn refuses_login(
        &self,
        policy: &IdTokenPolicy<'_>,
        login: Login<'_>,
        (shape, changes): (&str, Value),
        code: &str,
    ) {
        let (token, issuer) = (self.token(shape, &changes), self.issuer());
        let mut buffer = TokenBuffer::<8_192>::new();
        let verdict = IdToken::validate(&token, (&issuer, policy), login, NOW, &mut buffer);
        assert_eq!(verdict.map_or_else(|error| error.code(), |_| OK), code, "{shape}");
    }
}

/// Returns the claims with these changes. `null` removes a claim.
fn merged(mut claims: Value, changes: &Value) -> Value {
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

fn in_the_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(in_the_repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of all pages in `docs`.
fn files() -> BTreeSet<String> {
    let files = fs::read_dir(in_the_repository("docs")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.map(|name| name.strip_suffix(".md").unwrap().to_owned()).collect()
}

/// The blocks of code of a page, without the lines that rustdoc hides.
fn blocks(text: &str) -> Vec<String> {
    let (mut blocks, mut block) = (Vec::new(), None::<String>);
    for line in text.lines() {
        match (&mut block, line) {
            (None, "```rust") => block = Some(String::new()),
            (Some(_), "```") => blocks.extend(block.take()),
            (Some(_), hidden) if hidden.starts_with("# ") => {}
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(block.is_none());
    blocks
}

#[test]
fn each_page_is_run() {
    let known = PAGES.iter().map(|page| page.name).chain(OTHER_PAGES).map(str::to_owned);
    assert_eq!(files(), known.collect());
}

#[test]
fn the_code_that_is_run_is_that_of_the_page() {
    for page in PAGES {
        let blocks = blocks(&read(&format!("docs/{}.md", page.name)));
        assert_eq!(blocks.len(), page.code.len(), "{}", page.name);
        for (block, module) in blocks.iter().zip(page.code) {
            assert!(!block.trim().is_empty());
            assert!(module.contains(block.as_str()), "{}: other code than\n{block}", page.name);
        }
    }
}

#[test]
fn each_page_names_its_issuer_and_its_shapes() {
    for page in PAGES {
        let text = read(&format!("docs/{}.md", page.name));
        let (issuer, shapes) = (page.issuer, page.shapes);
        assert!(text.contains(&format!("`{issuer}`")), "{}: {issuer}", page.name);
        let last = format!(
            "The tests in `tests/shapes` run these settings on tokens as \"{shapes}\" issues them.\n"
        );
        assert!(text.ends_with(&last), "{}", page.name);
    }
}

#[test]
fn each_page_is_in_the_guide_and_linked_from_the_readme() {
    let (guide, readme) = (read("src/guide.rs"), read("README.md"));
    for name in files() {
        let module = name.replace('-', "_");
        let included =
            format!("#[doc = include_str!(\"../docs/{name}.md\")]\npub mod {module} {{}}\n");
        assert!(guide.contains(&included), "{name}");
        assert!(readme.contains(&format!("/claimgate/guide/{module}/index.html)")), "{name}");
    }
}

#[test]
fn each_shape_has_a_page_and_each_page_a_shape() {
    let prefixes = || PAGES.iter().map(|page| page.shapes).chain(OTHER_SHAPES);
    let mut used = BTreeSet::new();
    for Shape { what, .. } in shapes() {
        let prefix = prefixes().find(|prefix| what.starts_with(prefix)).unwrap();
        // All others are named for an issuer or a specification, which has to be known.
        let is_mixture = ["ID token ", "access token ", "logout token "]
            .iter()
            .any(|kind| what.starts_with(kind));
        assert_eq!(prefix.is_empty(), is_mixture, "{what}");
        used.insert(prefix);
    }
    assert_eq!(used, prefixes().collect());
}
