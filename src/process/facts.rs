//! Kinds of facts that are counted: one list gives the type, the name in reports and quantities, and what `explain` says.

macro_rules! facts {
    (
        $(#[$outer:meta])*
        $Type:ident {
            $(#[doc = $doc:literal] $(#[doc = $more:literal])* $variant:ident $name:literal,)*
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum $Type {
            $(#[doc = $doc] $(#[doc = $more])* $variant,)*
        }

        impl $Type {
            /// All of them, in the order of reports.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The name in reports and quantities.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What it counts, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc.trim_ascii_start(),)*
                }
            }

            /// How exactly it is counted, in lines; none where there is no more to say.
            pub const fn definition(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$($more,)*],)*
                }
            }
        }
    };
}

pub(super) use facts;
