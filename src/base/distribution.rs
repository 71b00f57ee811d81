//! TEMP
use super::{
    random::Uniform,
    time::{Span, ns},
};
/// temp
#[derive(Clone, PartialEq, Debug)]
pub enum Distribution {
    /// c
    Constant(Span),
    /// u
    Uniform(Span, Span),
}
impl Distribution {
    /// s
    #[inline(always)]
    pub fn sample(&self, u: Uniform) -> Span {
        match *self {
            Self::Constant(c) => c,
            Self::Uniform(a, b) => a + ns(u.below((b - a).as_nanos() + 1)),
        }
    }
    /// m
    pub fn minimum(&self) -> Span {
        match *self {
            Self::Constant(c) => c,
            Self::Uniform(a, _) => a,
        }
    }
    /// c
    pub fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }
    /// t
    pub fn constant(s: Span) -> Self {
        Self::Constant(s)
    }
    /// t
    pub fn uniform(a: Span, b: Span) -> Self {
        Self::Uniform(a, b)
    }
}
