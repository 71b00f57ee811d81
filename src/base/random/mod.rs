//! Random numbers by address.
//!
//! A draw is a function of (seed, purpose, entity, position): nothing is consumed, so adding a part to a system moves no
//! other part's luck. ChaCha8 turns seed and purpose into a [`Key`]; [`Philox4x32`] under that key turns an address into a
//! block. Where entities are few (faults, plans, search) [`Seed::generator`] gives a ChaCha8 generator.

mod philox;

use rand::SeedableRng;
use rand::rand_core::{Infallible, TryRng};
use rand_chacha::ChaCha8Rng;

use super::id::Entity;

pub use philox::{Philox4x32, ROUNDS};

/// What a run's luck depends on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Seed(pub u64);

impl Seed {
    /// A ChaCha8 generator for `purpose`.
    pub fn generator(self, purpose: &str) -> ChaCha8Rng {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.0.to_le_bytes());
        // FNV-1a from two starts: 128 bits of the purpose, fixed widths and byte order.
        for (half, start) in [0xcbf2_9ce4_8422_2325_u64, 0x6c62_272e_07bb_0142].into_iter().enumerate() {
            let hash =
                purpose.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
            bytes[8 + 8 * half..16 + 8 * half].copy_from_slice(&hash.to_le_bytes());
        }
        ChaCha8Rng::from_seed(bytes)
    }

    /// The key of `purpose`.
    pub fn key(self, purpose: &str) -> Key {
        let mut generator = self.generator(purpose);
        let (low, high) = (next_word(&mut generator), next_word(&mut generator));
        let bits = u64::from(high) << 32 | u64::from(low);
        Key { bits, function: Philox4x32::new(bits) }
    }

    /// The seed of replicate `run`: the seed itself for the first.
    pub fn replicate(self, run: u32) -> Self {
        if run == 0 {
            return self;
        }
        Self(self.key(&format!("replicate {run}")).bits)
    }
}

fn next_word(generator: &mut ChaCha8Rng) -> u32 {
    let Ok(word) = generator.try_next_u32();
    word
}

/// The key of one purpose under one seed.
#[derive(Clone, Copy)]
pub struct Key {
    bits: u64,
    function: Philox4x32<ROUNDS>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({:016x})", self.bits)
    }
}

impl Key {
    /// The block at `position` (64 bits) of `entity`'s stream.
    #[inline(always)]
    pub fn block(&self, entity: Entity, position: u64) -> Block {
        Block(self.function.block([entity.bits(), position]))
    }

    /// A stream of `entity`'s draws from `position` on.
    pub fn stream(&self, entity: Entity, position: u64) -> Stream {
        Stream { key: *self, entity, position, spare: None }
    }
}

/// 128 random bits: two uniform draws.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block([u64; 2]);

impl Block {
    /// The first draw.
    #[inline(always)]
    pub fn first(self) -> Uniform {
        Uniform(self.0[0])
    }

    /// The second draw.
    #[inline(always)]
    pub fn second(self) -> Uniform {
        Uniform(self.0[1])
    }
}

/// One uniform draw of 64 bits: what a decision or a sample is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uniform(u64);

impl Uniform {
    /// A draw with these bits, for tests and overrides.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The 64 bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// A number strictly between 0 and 1, with 52 random bits.
    pub fn open01(self) -> f64 {
        ((self.0 >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// A whole number below `bound` (0 if `bound` is 0), by multiplication: bias below `bound` / 2^64.
    #[inline(always)]
    pub fn below(self, bound: u64) -> u64 {
        ((u128::from(self.0) * u128::from(bound)) >> 64) as u64
    }
}

/// The draws of one entity for one purpose, behind `rand`'s traits.
#[derive(Clone, Debug)]
pub struct Stream {
    key: Key,
    entity: Entity,
    position: u64,
    spare: Option<Uniform>,
}

impl Stream {
    /// The next draw.
    pub fn draw(&mut self) -> Uniform {
        if let Some(draw) = self.spare.take() {
            return draw;
        }
        let block = self.key.block(self.entity, self.position);
        self.position += 1;
        self.spare = Some(block.second());
        block.first()
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.draw().bits() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.draw().bits())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.draw().bits().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A bijective mix of 64 bits (the finaliser of SplitMix64, Steele et al. 2014): ties and digests, not draws.
#[inline(always)]
pub const fn mix(bits: u64) -> u64 {
    let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// Mixes numbers, one after the other: a fingerprint of all of them in this order.
pub fn mix_all(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().fold(0, |sum, number| mix(sum ^ mix(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_its_address_alone() {
        let key = Seed(7).key("wire");
        let entity = Entity::new("api", 2);
        assert_eq!(key.block(entity, 5), Seed(7).key("wire").block(entity, 5));
        assert_ne!(key.block(entity, 5), key.block(entity, 6));
        assert_ne!(key.block(entity, 5), key.block(entity.member(3), 5));
        assert_ne!(key.block(entity, 5), Seed(8).key("wire").block(entity, 5));
        assert_ne!(key.block(entity, 5), Seed(7).key("demand").block(entity, 5));
    }

    #[test]
    fn a_stream_reads_blocks_in_order() {
        let key = Seed(1).key("test");
        let entity = Entity::new("g", 0);
        let mut stream = key.stream(entity, 4);
        let drawn: Vec<_> = (0..4).map(|_| stream.draw()).collect();
        let (a, b) = (key.block(entity, 4), key.block(entity, 5));
        assert_eq!(drawn, [a.first(), a.second(), b.first(), b.second()]);
    }

    /// Keys are part of the contract: were they to move, every stored result would.
    #[test]
    fn keys_never_change() {
        let block = Seed(42).key("wire").block(Entity::new("api", 0), 0);
        assert_eq!(
            (block.first().bits(), block.second().bits()),
            (16_051_758_526_752_626_507, 14_266_642_881_652_348_239)
        );
    }

    #[test]
    fn open01_never_reaches_its_ends() {
        assert!(Uniform::from_bits(0).open01() > 0.0);
        assert!(Uniform::from_bits(u64::MAX).open01() < 1.0);
        assert_eq!(Uniform::from_bits(u64::MAX).below(10), 9);
    }
}
