//! What a run has answered, as bytes that notice when they were damaged: SQLite does not look at what stands in its pages.

use rehearsal::experiment::Record;

use super::fingerprint::{START, hash};

/// A record, and a checksum behind it.
pub fn pack(record: &Record) -> Result<Vec<u8>, String> {
    let mut bytes = postcard::to_stdvec(record).map_err(|error| error.to_string())?;
    bytes.extend(checksum(&bytes));
    Ok(bytes)
}

/// The record, if it is as it was kept.
pub fn unpack(bytes: &[u8]) -> Result<Record, String> {
    let whole = bytes.split_last_chunk::<8>().filter(|(record, sum)| checksum(record) == **sum);
    let (record, _) = whole.ok_or("what a run has answered is damaged")?;
    postcard::from_bytes(record).map_err(|error| error.to_string())
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    bytes.iter().fold(START, |sum, &byte| hash(sum, byte)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_damaged_bit_is_noticed() {
        let record = Record { run: 3, seed: 7, digest: 11, events: 13, answers: Vec::new() };
        let bytes = pack(&record).unwrap();
        assert_eq!(unpack(&bytes).unwrap().events, 13);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(unpack(&damaged).is_err(), "{bit}");
        }
        assert!(unpack(&[]).is_err());
    }
}
