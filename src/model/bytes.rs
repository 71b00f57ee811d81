//! Numbers read off the front of what was written to a disk.

/// What is left to be read. Nothing is taken where there is too little.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    /// A number that [`put_short`] wrote.
    pub(super) fn short(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

/// Writes a number in as few bytes as it needs, seven bits in each (LEB128).
pub(super) fn put_short(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_takes_as_many_bytes_as_it_needs() {
        for (number, len) in [(0, 1), (127, 1), (128, 2), (1 << 21, 4), (u64::MAX, 10)] {
            let mut out = Vec::new();
            put_short(&mut out, number);
            assert_eq!((out.len(), Bytes(&out).short()), (len, Some(number)));
            assert_eq!(Bytes(&out[..len - 1]).short(), None);
        }
    }
}
