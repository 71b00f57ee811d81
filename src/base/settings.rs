//! Settings: what may be said about a policy, declared once.
//!
//! A policy's settings are a plain struct. [`settings!`](crate::settings) declares it together with what everybody else has to
//! know: the name, the paragraph that explains it, its source, and for each field its name, meaning, kind and default. From
//! that one declaration a scenario is read, the schema and the reference are written, and the laws of a family find an example.

use std::fmt;
use std::num::NonZeroU32;

use super::probability::Probability;
use super::time::Span;
use super::units::{Bytes, Rate, in_hours};

/// The settings of one policy.
pub trait Settings: Fields {
    /// Whether the values make sense together.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence that begins with the policy's name.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// What [`settings!`](crate::settings) says about a struct.
pub trait Fields: Default + Clone + 'static {
    /// What the policy is called in a scenario, in kebab-case.
    const NAME: &'static str;
    /// What it does, in a paragraph that begins with a sentence of its own.
    const TEXT: &'static str;
    /// Who described it first or best, and whose defaults it has.
    const SOURCE: &'static str;
    /// Its fields.
    const FIELDS: &'static [Field];
    /// Their names.
    const NAMES: &'static [&'static str];

    /// Sets the field at this place.
    ///
    /// # Errors
    /// Why the field does not take this value, though it is of the right kind.
    fn set(&mut self, field: usize, value: Value) -> Result<(), String>;
}

/// One field of a policy's settings.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// What it is called in a scenario.
    pub name: &'static str,
    /// What it means.
    pub text: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether it has to be said.
    pub need: Need,
    /// What holds if it is not said; nothing if there is none.
    pub default: fn() -> Option<Value>,
}

/// Whether a field has to be said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// It has a default.
    Optional,
    /// It has none.
    Required,
    /// It has none, and it says what matters: its value may stand in place of the table.
    Alone,
}

/// What a field may hold.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// Yes or no.
    Flag,
    /// A whole number that is not negative.
    Whole,
    /// A whole number from 1.
    Count,
    /// A finite number above zero.
    Number,
    /// A share from 0 to 1.
    Share,
    /// A length of time.
    Span,
    /// How often.
    Rate,
    /// A number of bytes.
    Bytes,
    /// One of these words.
    Word(&'static Words),
    /// Either of two kinds that are written differently.
    Either(&'static Kind, &'static Kind),
    /// A list of things of one kind.
    List(&'static Kind),
    /// Two things.
    Pair(&'static Kind, &'static Kind),
}

/// Words, and what they mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Words {
    /// The words.
    pub names: &'static [&'static str],
    /// What they mean, in the same order.
    pub texts: &'static [&'static str],
}

/// What a field was told.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Whole(u32),
    /// A number.
    Number(f64),
    /// A share.
    Share(Probability),
    /// A length of time.
    Span(Span),
    /// How often.
    Rate(Rate),
    /// A number of bytes.
    Bytes(Bytes),
    /// The place of a word among those of the kind, and the word.
    Word(usize, &'static str),
    /// A list.
    List(Vec<Value>),
    /// Two things.
    Pair(Box<(Value, Value)>),
}

impl fmt::Display for Value {
    /// As a scenario would write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(value) => write!(f, "{value}"),
            Self::Whole(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Share(value) => write!(f, "\"{value}\""),
            Self::Span(value) => write!(f, "\"{}\"", in_hours(*value)),
            Self::Rate(value) => write!(f, "\"{value}\""),
            Self::Bytes(value) => write!(f, "\"{value}\""),
            Self::Word(_, word) => write!(f, "\"{word}\""),
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Pair(values) => write!(f, "[{}, {}]", values.0, values.1),
        }
    }
}

/// A type that a field may have.
pub trait Setting: Sized {
    /// What a scenario may write for it.
    const KIND: Kind;

    /// The value that was written, which is of the right kind.
    ///
    /// # Errors
    /// Why it does not do.
    fn read(value: Value) -> Result<Self, String>;

    /// What a scenario would write; nothing if it would write nothing.
    fn write(&self) -> Option<Value>;
}

macro_rules! plain_setting {
    ($($type:ty = $kind:ident as $value:ident: $read:expr, $write:expr;)*) => {
        $(impl Setting for $type {
            const KIND: Kind = Kind::$kind;

            fn read(value: Value) -> Result<Self, String> {
                match value {
                    Value::$value(value) => $read(value),
                    other => Err(mismatch(&other)),
                }
            }

            fn write(&self) -> Option<Value> {
                let write: fn(&Self) -> _ = $write;
                Some(Value::$value(write(self)))
            }
        })*
    };
}

plain_setting! {
    bool = Flag as Flag: Ok, |value| *value;
    u32 = Whole as Whole: Ok, |value| *value;
    NonZeroU32 = Count as Whole: |value| Self::new(value).ok_or_else(|| "takes a number from 1".into()), |value| value.get();
    f64 = Number as Number: Ok, |value| *value;
    Probability = Share as Share: Ok, |value| *value;
    Span = Span as Span: Ok, |value| *value;
    Rate = Rate as Rate: Ok, |value| *value;
    Bytes = Bytes as Bytes: Ok, |value| *value;
}

/// What may be left out altogether.
impl<T: Setting> Setting for Option<T> {
    const KIND: Kind = T::KIND;

    fn read(value: Value) -> Result<Self, String> {
        T::read(value).map(Some)
    }

    fn write(&self) -> Option<Value> {
        self.as_ref()?.write()
    }
}

impl<T: Setting> Setting for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);

    fn read(value: Value) -> Result<Self, String> {
        match value {
            Value::List(values) => values.into_iter().map(T::read).collect(),
            other => Err(mismatch(&other)),
        }
    }

    fn write(&self) -> Option<Value> {
        self.iter().map(T::write).collect::<Option<_>>().map(Value::List)
    }
}

impl<A: Setting, B: Setting> Setting for (A, B) {
    const KIND: Kind = Kind::Pair(&A::KIND, &B::KIND);

    fn read(value: Value) -> Result<Self, String> {
        match value {
            Value::Pair(values) => Ok((A::read(values.0)?, B::read(values.1)?)),
            other => Err(mismatch(&other)),
        }
    }

    fn write(&self) -> Option<Value> {
        Some(Value::Pair(Box::new((self.0.write()?, self.1.write()?))))
    }
}

/// A reader that keeps to [`Setting::KIND`] never asks for this.
pub fn mismatch(found: &Value) -> String {
    format!("does not take {found}")
}

/// One policy of a family, as a registry lists it: `P` is any policy of the family, as plain data.
#[derive(Clone, Copy, Debug)]
pub struct Listing<P> {
    /// What it is called in a scenario.
    pub name: &'static str,
    /// What it does.
    pub text: &'static str,
    /// Who described it, and whose defaults it has.
    pub source: &'static str,
    /// What can be said about it.
    pub fields: &'static [Field],
    /// The names of the fields.
    pub names: &'static [&'static str],
    make: Make<P>,
}

/// Makes a policy of values for the fields at these places.
type Make<P> = fn(Vec<(usize, Value)>) -> Result<P, Refused>;

/// Settings that do not do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The field, if it is a matter of one.
    pub field: Option<usize>,
    /// What is wrong, as the end of a sentence.
    pub why: String,
}

impl<P> Listing<P> {
    /// The policy that has these settings.
    pub const fn of<S: Settings + Into<P>>() -> Self {
        Self {
            name: S::NAME,
            text: S::TEXT,
            source: S::SOURCE,
            fields: S::FIELDS,
            names: S::NAMES,
            make: |values| {
                let mut settings = S::default();
                for (field, value) in values {
                    settings.set(field, value).map_err(|why| Refused { field: Some(field), why })?;
                }
                settings.check().map_err(|why| Refused { field: None, why })?;
                Ok(settings.into())
            },
        }
    }

    /// The policy with these values for the fields at these places, and defaults (or an example, where there is none) for all
    /// others.
    ///
    /// # Errors
    /// What its settings refuse.
    pub fn make(&self, values: Vec<(usize, Value)>) -> Result<P, Refused> {
        (self.make)(values)
    }

    /// One of this kind, for listings and for the laws that all of a family keep.
    ///
    /// # Panics
    /// If the example in the declaration refuses itself.
    pub fn example(&self) -> P {
        self.make(Vec::new()).unwrap_or_else(|refused| panic!("the example of `{}` {}", self.name, refused.why))
    }

    /// The field whose value may stand in place of the table, if there is one.
    pub fn alone(&self) -> Option<usize> {
        self.fields.iter().position(|field| field.need == Need::Alone)
    }

    /// The first sentence of what it does.
    pub fn summary(&self) -> &'static str {
        let text = self.text.trim_start();
        text.find(". ").map_or(text, |end| &text[..=end])
    }
}

/// A field's name without the mark that Rust wants where it is also a keyword, as in `r#for`.
pub const fn plain(name: &str) -> &str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// A field's name as a scenario writes it.
pub const fn kebab<const N: usize>(name: &str) -> [u8; N] {
    let (mut spelled, mut index) = ([0; N], 0);
    while index < N {
        let letter = name.as_bytes()[index];
        spelled[index] = if letter == b'_' { b'-' } else { letter };
        index += 1;
    }
    spelled
}

/// Declares the settings of a policy: a struct, and all that [`Fields`] tells of it.
///
/// ```
/// use std::num::NonZeroU32;
/// use rehearsal::base::settings::{Fields, Settings};
///
/// rehearsal::settings! {
///     /// The least loaded of a few members drawn at random. Two choices instead of one make the longest queue much shorter.
///     pub struct Choices = "choices", "Mitzenmacher, IEEE TPDS 12(10), 2001" {
///         /// How many are drawn.
///         d: NonZeroU32 = NonZeroU32::new(2).unwrap(),
///         /// Whether one member may be drawn twice.
///         replacement: bool = false,
///     }
/// }
/// impl Settings for Choices {}
/// assert_eq!(Choices::NAMES, ["d", "replacement"]);
/// assert_eq!(Choices::default().d.get(), 2);
/// ```
///
/// A field without a default is declared with an example: `rate: Rate, required = rate_per_sec(50)`, or, if it says
/// what matters, so that its value may stand in place of the table, `weights: Vec<u32>, alone = vec![1, 2]`.
#[macro_export]
macro_rules! settings {
    (
        $(#[doc = $text:literal])*
        $visibility:vis struct $type:ident = $name:literal, $source:literal {
            $($(#[doc = $meaning:literal])* $field:ident: $kind:ty $(, $need:ident)? = $default:expr,)*
        }
    ) => {
        $(#[doc = $text])*
        #[derive(Clone, PartialEq, Debug)]
        $visibility struct $type {
            $($(#[doc = $meaning])* pub $field: $kind,)*
        }

        impl Default for $type {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::base::settings::Fields for $type {
            const NAME: &'static str = $name;
            const TEXT: &'static str = concat!($($text),*);
            const SOURCE: &'static str = $source;
            const FIELDS: &'static [$crate::base::settings::Field] = &[$($crate::base::settings::Field {
                name: $crate::setting_name!($field),
                text: concat!($($meaning),*),
                kind: <$kind as $crate::base::settings::Setting>::KIND,
                need: $crate::setting_need!($($need)?),
                default: || <$kind as $crate::base::settings::Setting>::write(&$default),
            },)*];
            const NAMES: &'static [&'static str] = &[$($crate::setting_name!($field),)*];

            fn set(&mut self, field: usize, value: $crate::base::settings::Value) -> Result<(), String> {
                let mut place = 0..;
                $(if place.next() == Some(field) {
                    self.$field = <$kind as $crate::base::settings::Setting>::read(value)?;
                    return Ok(());
                })*
                let _ = (&mut place, value);
                unreachable!("{} has no field {field}", $name)
            }
        }
    };
}

/// The name of a field, in kebab-case.
#[doc(hidden)]
#[macro_export]
macro_rules! setting_name {
    ($field:ident) => {{
        const NAME: &str = $crate::base::settings::plain(stringify!($field));
        const BYTES: [u8; NAME.len()] = $crate::base::settings::kebab(NAME);
        match ::std::str::from_utf8(&BYTES) {
            Ok(name) => name,
            Err(_) => unreachable!(),
        }
    }};
}

/// Whether a field has to be said.
#[doc(hidden)]
#[macro_export]
macro_rules! setting_need {
    () => {
        $crate::base::settings::Need::Optional
    };
    (required) => {
        $crate::base::settings::Need::Required
    };
    (alone) => {
        $crate::base::settings::Need::Alone
    };
}

/// Declares an enum of words, for fields that take one of them.
///
/// ```
/// rehearsal::words! {
///     /// Whose requests count.
///     pub enum Load {
///         /// Those of the caller itself.
///         Own = "own",
///         /// All that are at the node.
///         True = "true",
///     }
/// }
/// assert_eq!(Load::WORDS.names, ["own", "true"]);
/// ```
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $type:ident {
            $($(#[doc = $text:literal])* $variant:ident = $name:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        $visibility enum $type {
            $($(#[doc = $text])* $variant,)*
        }

        impl $type {
            /// The words, in order.
            pub const WORDS: &'static $crate::base::settings::Words = &$crate::base::settings::Words {
                names: &[$($name,)*],
                texts: &[$(concat!($($text),*),)*],
            };
            /// What they stand for, in the same order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }

        impl $crate::base::settings::Setting for $type {
            const KIND: $crate::base::settings::Kind = $crate::base::settings::Kind::Word(Self::WORDS);

            fn read(value: $crate::base::settings::Value) -> Result<Self, String> {
                match value {
                    $crate::base::settings::Value::Word(place, _) if place < Self::ALL.len() => Ok(Self::ALL[place]),
                    other => Err($crate::base::settings::mismatch(&other)),
                }
            }

            fn write(&self) -> Option<$crate::base::settings::Value> {
                let place = *self as usize;
                Some($crate::base::settings::Value::Word(place, Self::WORDS.names[place]))
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;
    use crate::base::units::rate_per_sec;

    words! {
        /// A colour.
        pub enum Colour {
            /// Like blood.
            Red = "red",
            /// Like grass.
            Green = "green",
        }
    }

    settings! {
        /// Paints. It has everything
        /// that settings may have.
        struct Paint = "paint", "our own" {
            /// How long it takes.
            drying_time: Span = ms(5),
            /// Its colour.
            colour: Colour = Colour::Green,
            /// How often.
            rate: Rate, required = rate_per_sec(2),
            /// Never, unless said.
            limit: Option<NonZeroU32> = None,
            /// Layers.
            layers: Vec<(u32, f64)> = vec![(1, 0.5)],
            /// How long it lasts.
            r#for: Span = ms(7),
        }
    }

    impl Settings for Paint {
        fn check(&self) -> Result<(), String> {
            if self.rate.is_zero() { Err("never paints".into()) } else { Ok(()) }
        }
    }

    #[test]
    fn one_declaration_tells_all() {
        assert_eq!(Paint::NAMES, ["drying-time", "colour", "rate", "limit", "layers", "for"]);
        assert_eq!(Listing::<Paint>::of::<Paint>().summary(), "Paints.");
        assert_eq!(Paint::TEXT, " Paints. It has everything that settings may have.");
        let defaults: Vec<_> =
            Paint::FIELDS.iter().map(|field| (field.default)().map(|value| value.to_string())).collect();
        let texts = [Some("\"5ms\""), Some("\"green\""), Some("\"2/s\""), None, Some("[[1, 0.5]]"), Some("\"7ms\"")];
        assert_eq!(defaults, texts.map(|text| text.map(str::to_owned)));
        assert_eq!(Paint::FIELDS[2].need, Need::Required);
    }

    #[test]
    fn a_listing_makes_a_policy_of_what_was_said() {
        let listing = Listing::<Paint>::of::<Paint>();
        let made = listing.make(vec![(1, Value::Word(0, "red")), (3, Value::Whole(7))]).unwrap();
        assert_eq!(made, Paint { colour: Colour::Red, limit: NonZeroU32::new(7), ..Paint::default() });
        let refused = listing.make(vec![(3, Value::Whole(0))]).unwrap_err();
        assert_eq!(refused, Refused { field: Some(3), why: "takes a number from 1".into() });
        let refused = listing.make(vec![(2, Value::Rate(Rate::ZERO))]).unwrap_err();
        assert_eq!(refused, Refused { field: None, why: "never paints".into() });
    }
}
