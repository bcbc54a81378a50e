//! Claims that own no text: each string as a place in a text that is kept
//! beside them.

use heapless::String;

use super::{Audience, Confirmation, NumericDate, Registered, Scope, StringArray};
use crate::jws::Header;

/// Where a string stands in a kept text, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

/// The text that kept claims refer to: the payload, and after it the strings
/// that had escapes in it.
pub(crate) struct Keeper<'p, const LEN: usize> {
    payload: &'p str,
    text: String<LEN>,
}

impl<'p, const LEN: usize> Keeper<'p, LEN> {
    /// Starts with a payload. `None` if it does not fit.
    pub(crate) fn new(payload: &'p [u8]) -> Option<Self> {
        let payload = core::str::from_utf8(payload).ok()?;
        let text = String::try_from(payload).ok()?;
        Some(Self { payload, text })
    }

    /// The place of `string`, which is added if it is no part of the payload.
    /// `None` if it does not fit.
    fn place(&mut self, string: &str) -> Option<Span> {
        let start = self.place_in_payload(string).or_else(|| {
            let end = self.text.len();
            self.text.push_str(string).ok().map(|()| end)
        })?;
        Some(Span { start, end: start.checked_add(string.len())? })
    }

    /// How far into the payload `string` begins, if it is a part of it.
    fn place_in_payload(&self, string: &str) -> Option<usize> {
        let start = string.as_ptr().addr().checked_sub(self.payload.as_ptr().addr())?;
        (self.payload.get(start..start.checked_add(string.len())?)? == string).then_some(start)
    }

    pub(crate) fn into_text(self) -> String<LEN> {
        self.text
    }
}

/// What can be kept without its text, and lent again with it.
pub(crate) trait Keep<'b>: Sized {
    type Kept: Clone;

    /// `None` if there is no room.
    fn keep<const LEN: usize>(&self, keeper: &mut Keeper<'_, LEN>) -> Option<Self::Kept>;

    fn lend(kept: &Self::Kept, text: &'b str) -> Self;
}

impl<'b> Keep<'b> for &'b str {
    type Kept = Span;

    fn keep<const LEN: usize>(&self, keeper: &mut Keeper<'_, LEN>) -> Option<Span> {
        keeper.place(self)
    }

    fn lend(kept: &Span, text: &'b str) -> Self {
        // A span is made with its text and stays beside it.
        text.get(kept.start..kept.end).unwrap_or_default()
    }
}

impl<'b, T: Keep<'b>> Keep<'b> for Option<T> {
    type Kept = Option<T::Kept>;

    fn keep<const LEN: usize>(&self, keeper: &mut Keeper<'_, LEN>) -> Option<Self::Kept> {
        match self {
            None => Some(None),
            Some(value) => value.keep(keeper).map(Some),
        }
    }

    fn lend(kept: &Self::Kept, text: &'b str) -> Self {
        kept.as_ref().map(|kept| T::lend(kept, text))
    }
}

/// What has no text is kept as it is.
macro_rules! keep_as_is {
    ($($type:ty)*) => {$(
        impl Keep<'_> for $type {
            type Kept = Self;

            fn keep<const LEN: usize>(&self, _: &mut Keeper<'_, LEN>) -> Option<Self> {
                Some(*self)
            }

            fn lend(kept: &Self, _: &str) -> Self {
                *kept
            }
        }
    )*};
}

keep_as_is! { NumericDate bool crate::error::Claim }

impl<'b> Keep<'b> for &'b [u8] {
    type Kept = Span;

    fn keep<const LEN: usize>(&self, keeper: &mut Keeper<'_, LEN>) -> Option<Span> {
        core::str::from_utf8(self).ok()?.keep(keeper)
    }

    fn lend(kept: &Span, text: &'b str) -> Self {
        <&str>::lend(kept, text).as_bytes()
    }
}

/// A struct of such fields, and the struct that it is kept as.
macro_rules! keep_fields {
    ($type:ident as $kept:ident { $($field:ident: $kind:ty,)* }) => {
        #[derive(Clone)]
        pub(crate) struct $kept {
            $($field: <$kind as $crate::claims::Keep<'static>>::Kept,)*
        }

        impl<'b> $crate::claims::Keep<'b> for $type<'b> {
            type Kept = $kept;

            fn keep<const LEN: usize>(
                &self,
                keeper: &mut $crate::claims::Keeper<'_, LEN>,
            ) -> Option<$kept> {
                Some($kept { $($field: $crate::claims::Keep::keep(&self.$field, keeper)?,)* })
            }

            fn lend(kept: &$kept, text: &'b str) -> Self {
                Self { $($field: $crate::claims::Keep::lend(&kept.$field, text),)* }
            }
        }
    };
}
pub(crate) use keep_fields;

keep_fields! { Header as KeptHeader {
    key_id: Option<&'static str>,
    token_type: Option<&'static str>,
} }

keep_fields! { Confirmation as KeptConfirmation {
    x5t_s256: Option<&'static str>,
    jkt: Option<&'static str>,
} }

keep_fields! { Registered as KeptRegistered {
    issuer: Option<&'static str>,
    subject: Option<&'static str>,
    audience: Option<Audience<'static>>,
    expiry: Option<NumericDate>,
    not_before: Option<NumericDate>,
    issued_at: Option<NumericDate>,
    expiry_has_fraction: bool,
    issued_at_has_fraction: bool,
    token_id: Option<&'static str>,
    authorized_party: Option<&'static str>,
    client_id: Option<&'static str>,
    nonce: Option<&'static str>,
    auth_time: Option<NumericDate>,
    acr: Option<&'static str>,
    amr: Option<StringArray<'static>>,
    at_hash: Option<&'static str>,
    c_hash: Option<&'static str>,
    s_hash: Option<&'static str>,
    scope: Option<Scope<'static>>,
    scp: Option<Scope<'static>>,
    permissions: Option<StringArray<'static>>,
    grant_type: Option<StringArray<'static>>,
    confirmation: Option<Confirmation<'static>>,
    token_use: Option<&'static str>,
    typ: Option<&'static str>,
    has_events: bool,
    organization_id: Option<&'static str>,
    organization_name: Option<&'static str>,
} }

impl<'b> Keep<'b> for StringArray<'b> {
    type Kept = Span;

    fn keep<const LEN: usize>(&self, keeper: &mut Keeper<'_, LEN>) -> Option<Span> {
        self.0.keep(keeper)
    }

    fn lend(kept: &Span, text: &'b str) -> Self {
        Self(Keep::lend(kept, text))
    }
}

impl<'b> Keep<'b> for Scope<'b> {
    type Kept = (Option<Span>, Option<Span>);

    fn keep<const LEN: usize>(&self, keeper: &mut Keeper<'_, LEN>) -> Option<Self::Kept> {
        let (text, array) = self.forms();
        Some((text.keep(keeper)?, array.keep(keeper)?))
    }

    fn lend((text, array): &Self::Kept, whole: &'b str) -> Self {
        Self::from_forms(Keep::lend(text, whole), Keep::lend(array, whole))
    }
}

impl<'b> Keep<'b> for Audience<'b> {
    type Kept = [Option<Span>; super::MAX_AUDIENCES];

    fn keep<const LEN: usize>(&self, keeper: &mut Keeper<'_, LEN>) -> Option<Self::Kept> {
        let mut spans = [None; super::MAX_AUDIENCES];
        for (span, audience) in spans.iter_mut().zip(self.iter()) {
            *span = Some(audience.keep(keeper)?);
        }
        Some(spans)
    }

    fn lend(spans: &Self::Kept, text: &'b str) -> Self {
        let mut audience = Self::NONE;
        for span in spans.iter().flatten() {
            audience.push(<&str>::lend(span, text));
        }
        audience
    }
}
