//! Philox4x32: a counter-based random function.
//!
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011. A block is a pure function of
//! a 128-bit counter and a 64-bit key, so a stream is a position and not an object.
//!
//! Draws take [`ROUNDS`] = 7 of its rounds: the authors report that seven pass every test of BigCrush (their table 2; ten
//! are their default for a margin; no battery was run on this code, only the known answers), and a round is a tenth of what a simulated message costs in luck.

use crate::base::processor::Pair;

const MULTIPLIER: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];

/// The rounds that draws take.
pub const ROUNDS: usize = 7;

/// The function under one key, with `ROUNDS` rounds. The words of 32 bits that the authors speak of stand two by two, the
/// first of each two below.
#[derive(Clone, Copy)]
pub struct Philox4x32<const ROUNDS: usize> {
    /// What each round mixes in.
    schedule: [Pair; ROUNDS],
}

impl<const ROUNDS: usize> Philox4x32<ROUNDS> {
    /// The function under `key`.
    pub fn new(key: u64) -> Self {
        let mut next = Pair::new(key as u32, (key >> 32) as u32);
        let schedule = std::array::from_fn(|_| {
            let round = next;
            next = next.plus(Pair::new(WEYL[0], WEYL[1]));
            round
        });
        Self { schedule }
    }

    /// The block at `counter`.
    #[inline(always)]
    pub fn block(&self, counter: [u64; 2]) -> [u64; 2] {
        let (mut even, mut odd) = Pair::split(counter[0], counter[1]);
        for &key in &self.schedule {
            let (low, high) = even.crossed_products(Pair::new(MULTIPLIER[0], MULTIPLIER[1]));
            // A round waits for its products alone: what they are mixed with is ready before.
            even = odd.xor(key).xor(high);
            odd = low;
        }
        let (first, second) = even.join(odd);
        [first, second]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words<const ROUNDS: usize>(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
        let join = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
        let [c0, c1, c2, c3] = counter;
        let function = Philox4x32::<ROUNDS>::new(join(key[0], key[1]));
        let [first, second] = function.block([join(c0, c1), join(c2, c3)]);
        [first as u32, (first >> 32) as u32, second as u32, (second >> 32) as u32]
    }

    const PI: ([u32; 4], [u32; 2]) = ([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]);

    /// The known answers that the authors publish with Random123 (`kat_vectors`, philox4x32 with 10 and with 7 rounds).
    #[test]
    fn published_known_answers() {
        let ones = u32::MAX;
        assert_eq!(words::<10>([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(words::<10>([ones; 4], [ones; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(words::<10>(PI.0, PI.1), [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
        assert_eq!(words::<7>([0; 4], [0; 2]), [0x5f6f_b709, 0x0d89_3f64, 0x4f12_1f81, 0x4f73_0a48]);
        assert_eq!(words::<7>([ones; 4], [ones; 2]), [0x5207_ddc2, 0x4516_5e59, 0x4d8e_e751, 0x8c52_f662]);
        assert_eq!(words::<7>(PI.0, PI.1), [0x4dfc_caba, 0x190a_87f0, 0xc473_62ba, 0xb6b5_242a]);
    }
}
