//! Claims as spans of a text that is stored separately, so that they can be owned.

use heapless::String;

use super::{Audience, Confirmation, NumericDate, RegisteredClaims, Scope, StringArray};
use crate::jws::Header;

/// The position of a string in the text, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

/// The text to which spans refer: the payload, followed by the strings that had escapes.
pub(crate) struct TextBuilder<'p, const LEN: usize> {
    payload: &'p str,
    text: String<LEN>,
}

impl<'p, const LEN: usize> TextBuilder<'p, LEN> {
    /// Starts with a payload. Returns `None` if it does not fit.
    pub(crate) fn new(payload: &'p [u8]) -> Option<Self> {
        let payload = core::str::from_utf8(payload).ok()?;
        let text = String::try_from(payload).ok()?;
        Some(Self { payload, text })
    }

    /// Returns the span of `string`, which is appended if it is not a part of the payload.
    /// Returns `None` if it does not fit.
    fn place(&mut self, string: &str) -> Option<Span> {
        let start = self.place_in_payload(string).or_else(|| {
            let end = self.text.len();
            self.text.push_str(string).ok().map(|()| end)
        })?;
        Some(Span { start, end: start.checked_add(string.len())? })
    }

    /// Returns the position of `string` in the payload, if it is a part of it.
    fn place_in_payload(&self, string: &str) -> Option<usize> {
        let start = string.as_ptr().addr().checked_sub(self.payload.as_ptr().addr())?;
        (self.payload.get(start..start.checked_add(string.len())?)? == string).then_some(start)
    }

    pub(crate) fn into_text(self) -> String<LEN> {
        self.text
    }
}

/// Claims that can be converted to spans, and back with the text.
pub(crate) trait ToSpans<'b>: Sized {
    type Spans: Clone;

    /// Returns `None` if the text does not fit.
    fn to_spans<const LEN: usize>(&self, builder: &mut TextBuilder<'_, LEN>)
    -> Option<Self::Spans>;

    fn from_spans(spans: &Self::Spans, text: &'b str) -> Self;
}

impl<'b> ToSpans<'b> for &'b str {
    type Spans = Span;

    fn to_spans<const LEN: usize>(&self, builder: &mut TextBuilder<'_, LEN>) -> Option<Span> {
        builder.place(self)
    }

    fn from_spans(spans: &Span, text: &'b str) -> Self {
        // The span was created with this text.
        text.get(spans.start..spans.end).unwrap_or_default()
    }
}

impl<'b, T: ToSpans<'b>> ToSpans<'b> for Option<T> {
    type Spans = Option<T::Spans>;

    fn to_spans<const LEN: usize>(
        &self,
        builder: &mut TextBuilder<'_, LEN>,
    ) -> Option<Self::Spans> {
        match self {
            None => Some(None),
            Some(value) => value.to_spans(builder).map(Some),
        }
    }

    fn from_spans(spans: &Self::Spans, text: &'b str) -> Self {
        spans.as_ref().map(|spans| T::from_spans(spans, text))
    }
}

/// Types without text are copied.
macro_rules! copied_as_is {
    ($($type:ty)*) => {$(
        impl ToSpans<'_> for $type {
            type Spans = Self;

            fn to_spans<const LEN: usize>(&self, _: &mut TextBuilder<'_, LEN>) -> Option<Self> {
                Some(*self)
            }

            fn from_spans(spans: &Self, _: &str) -> Self {
                *spans
            }
        }
    )*};
}

copied_as_is! { NumericDate bool crate::error::Claim crate::error::Problem crate::algorithm::Algorithm }

impl<'b> ToSpans<'b> for &'b [u8] {
    type Spans = Span;

    fn to_spans<const LEN: usize>(&self, builder: &mut TextBuilder<'_, LEN>) -> Option<Span> {
        core::str::from_utf8(self).ok()?.to_spans(builder)
    }

    fn from_spans(spans: &Span, text: &'b str) -> Self {
        <&str>::from_spans(spans, text).as_bytes()
    }
}

/// A struct of such fields, and the struct of their spans.
macro_rules! span_fields {
    ($type:ident as $spans:ident { $($field:ident: $kind:ty,)* }) => {
        #[derive(Clone)]
        pub(crate) struct $spans {
            $($field: <$kind as $crate::claims::ToSpans<'static>>::Spans,)*
        }

        impl<'b> $crate::claims::ToSpans<'b> for $type<'b> {
            type Spans = $spans;

            fn to_spans<const LEN: usize>(
                &self,
                builder: &mut $crate::claims::TextBuilder<'_, LEN>,
            ) -> Option<$spans> {
                Some($spans { $($field: $crate::claims::ToSpans::to_spans(&self.$field, builder)?,)* })
            }

            fn from_spans(spans: &$spans, text: &'b str) -> Self {
                Self { $($field: $crate::claims::ToSpans::from_spans(&spans.$field, text),)* }
            }
        }
    };
}
pub(crate) use span_fields;

span_fields! { Header as HeaderSpans {
    algorithm: crate::algorithm::Algorithm,
    key_id: Option<&'static str>,
    typ: Option<&'static str>,
} }

span_fields! { Confirmation as ConfirmationSpans {
    x5t_s256: Option<&'static str>,
    jkt: Option<&'static str>,
} }

span_fields! { RegisteredClaims as RegisteredSpans {
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

impl RegisteredSpans {
    /// Returns the issuer, without the other claims.
    pub(crate) fn issuer<'b>(&self, text: &'b str) -> Option<&'b str> {
        ToSpans::from_spans(&self.issuer, text)
    }
}

impl<'b> ToSpans<'b> for StringArray<'b> {
    type Spans = Span;

    fn to_spans<const LEN: usize>(&self, builder: &mut TextBuilder<'_, LEN>) -> Option<Span> {
        self.0.to_spans(builder)
    }

    fn from_spans(spans: &Span, text: &'b str) -> Self {
        Self(ToSpans::from_spans(spans, text))
    }
}

impl<'b> ToSpans<'b> for Scope<'b> {
    type Spans = (Option<Span>, Option<Span>);

    fn to_spans<const LEN: usize>(
        &self,
        builder: &mut TextBuilder<'_, LEN>,
    ) -> Option<Self::Spans> {
        let (text, array) = self.forms();
        Some((text.to_spans(builder)?, array.to_spans(builder)?))
    }

    fn from_spans((text, array): &Self::Spans, whole: &'b str) -> Self {
        Self::from_forms(ToSpans::from_spans(text, whole), ToSpans::from_spans(array, whole))
    }
}

impl<'b> ToSpans<'b> for Audience<'b> {
    type Spans = [Option<Span>; Audience::MAX];

    fn to_spans<const LEN: usize>(
        &self,
        builder: &mut TextBuilder<'_, LEN>,
    ) -> Option<Self::Spans> {
        let mut spans = [None; Audience::MAX];
        for (span, audience) in spans.iter_mut().zip(self.iter()) {
            *span = Some(audience.to_spans(builder)?);
        }
        Some(spans)
    }

    fn from_spans(spans: &Self::Spans, text: &'b str) -> Self {
        let mut audience = Self::NONE;
        for span in spans.iter().map_while(Option::as_ref) {
            audience.push(<&str>::from_spans(span, text));
        }
        audience
    }
}
