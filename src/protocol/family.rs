//! Families of policies: one file and one line per policy.
//!
//! [`family!`] is handed a list with one line per policy, and makes of it the modules, the enum of all settings (plain data,
//! what a scenario names), the enum of all states (what runs), and the registry that a scenario's reader, the reference and the
//! laws walk. It also names a macro that hands a call to whichever state there is, with which the family's trait is implemented.

/// Declares a family. It begins with a dollar sign, which no macro can write by itself:
///
/// ```ignore
/// family! { $
///     /// How who waits gets its turn.
///     QueuePolicy,
///     /// Who waits.
///     AnyQueue, QUEUES, each_queue;
///     fifo: Fifo, FifoSettings;
/// }
/// ```
///
/// The module `fifo` holds `FifoSettings`, declared by [`settings!`](crate::settings), and the state `Fifo`, which has
/// `new(&FifoSettings)`.
macro_rules! family {
    (
        $d:tt
        $(#[$about_policy:meta])* $policy:ident,
        $(#[$about_state:meta])* $any:ident, $registry:ident, $each:ident;
        $($module:ident: $state:ident, $settings:ident;)*
    ) => {
        $(mod $module;)*

        $(pub use $module::{$settings, $state};)*

        $(#[$about_policy])*
        #[derive(Clone, PartialEq, Debug)]
        pub enum $policy {
            $(#[doc = concat!("See [`", stringify!($settings), "`].")] $state($settings),)*
        }

        $(impl From<$settings> for $policy {
            fn from(settings: $settings) -> Self {
                Self::$state(settings)
            }
        })*

        impl $policy {
            /// A new state under these settings.
            pub fn start(&self) -> $any {
                match self {
                    $(Self::$state(settings) => $any::$state($state::new(settings)),)*
                }
            }

            /// What it is called in a scenario.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$state(_) => <$settings as $crate::base::settings::Fields>::NAME,)*
                }
            }
        }

        $(#[$about_state])*
        #[derive(Clone, Debug)]
        pub enum $any {
            $(#[doc = concat!("See [`", stringify!($state), "`].")] $state($state),)*
        }

        /// All of them, by their scenario names.
        pub const $registry: &[$crate::base::settings::Listing<$policy>] =
            &[$($crate::base::settings::Listing::of::<$settings>(),)*];

        macro_rules! $each {
            ($d any:expr, $d one:ident => $d call:expr) => {
                match $d any {
                    $($any::$state($d one) => $d call,)*
                }
            };
        }

        #[cfg(test)]
        mod registry {
            #[test]
            fn is_well_kept() {
                $crate::protocol::family::well_kept(super::$registry);
            }

            #[test]
            fn names_the_examples() {
                for listing in super::$registry {
                    assert_eq!(listing.example().name(), listing.name);
                }
            }
        }
    };
}

pub(crate) use family;

/// Names are kebab-case and unique, everything is explained, every default has the right kind and an example refuses nothing.
#[cfg(test)]
pub(crate) fn well_kept<P>(registry: &[crate::base::settings::Listing<P>]) {
    use crate::base::settings::Need;

    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    for (index, listing) in registry.iter().enumerate() {
        let name = listing.name;
        assert!(is_name(name), "{name}");
        assert!(registry[..index].iter().all(|other| other.name != name), "{name} twice");
        assert!(listing.text.ends_with('.') && listing.summary().ends_with('.'), "{name}");
        assert!(!listing.source.is_empty(), "{name}");
        for (place, field) in listing.fields.iter().enumerate() {
            assert!(is_name(field.name) && field.text.ends_with('.'), "{name}.{}", field.name);
            if let Some(default) = (field.default)() {
                let made = listing.make(vec![(place, default.clone())]);
                assert!(made.is_ok(), "{name}.{} = {default}", field.name);
            } else {
                assert_eq!(field.need, Need::Optional, "{name}.{}", field.name);
            }
        }
        listing.example();
    }
}
