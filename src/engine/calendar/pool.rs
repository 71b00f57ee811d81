//! Unsorted buckets in shared chunks.
//!
//! A bucket is a list of fixed-size chunks out of one pool, so memory follows what is pending and not each bucket's record
//! height, and nothing is allocated once the pool has reached its size.

use crate::base::processor::prefetch;

const CHUNK: usize = 16;
const NONE: u32 = u32::MAX;

/// An unsorted bag of events; its events live in a [`Pool`].
#[derive(Clone, Copy)]
pub(super) struct Bucket {
    /// The first chunk.
    head: u32,
    /// Where the next event goes, counted in events; at the start of a chunk, a new one is needed first.
    end: u32,
    len: u32,
}

impl Bucket {
    pub(super) const EMPTY: Self = Self { head: NONE, end: 0, len: 0 };

    pub(super) fn len(self) -> usize {
        self.len as usize
    }

    pub(super) fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The last chunk, if there is one.
    fn last(self) -> Option<usize> {
        (self.head != NONE).then(|| (self.end as usize - 1) / CHUNK)
    }
}

/// The chunks of all buckets of one calendar.
pub(super) struct Pool<T> {
    items: Vec<T>,
    next: Vec<u32>,
    free: u32,
}

impl<T: Copy> Pool<T> {
    pub(super) fn new() -> Self {
        Self { items: Vec::new(), next: Vec::new(), free: NONE }
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.next.clear();
        self.free = NONE;
    }

    /// Makes the first chunk out of `filler`; further ones are copies of it until they hold something. (Were every push to
    /// bring its own filler, every event would pass through memory on its way.)
    pub(super) fn seed(&mut self, filler: T) {
        if self.items.is_empty() {
            self.items.resize(CHUNK, filler);
            self.next.push(self.free);
            self.free = 0;
        }
    }

    /// Adds an item, once the pool is seeded. (By reference, so that it is read after the pool has grown: it would spend the
    /// meantime on the stack.)
    #[inline(always)]
    pub(super) fn push(&mut self, bucket: &mut Bucket, item: &T) {
        if (bucket.end as usize).is_multiple_of(CHUNK) {
            self.grow(bucket);
        }
        self.items[bucket.end as usize] = *item;
        bucket.end += 1;
        bucket.len += 1;
    }

    #[inline(never)]
    fn grow(&mut self, bucket: &mut Bucket) {
        let chunk = if self.free == NONE {
            let items = u32::try_from(self.items.len() + CHUNK).expect("fewer than 2^32 events are pending");
            self.items.extend_from_within(..CHUNK);
            self.next.push(NONE);
            items / CHUNK as u32 - 1
        } else {
            let chunk = self.free;
            self.free = self.next[chunk as usize];
            self.next[chunk as usize] = NONE;
            chunk
        };
        match bucket.last() {
            None => bucket.head = chunk,
            Some(last) => self.next[last] = chunk,
        }
        bucket.end = chunk * CHUNK as u32;
    }

    /// The events of a bucket, chunk by chunk.
    pub(super) fn chunks(&self, bucket: Bucket) -> impl Iterator<Item = &[T]> + Clone {
        let (mut chunk, mut left) = (bucket.head, bucket.len as usize);
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let count = left.min(CHUNK);
            left -= count;
            let start = chunk as usize * CHUNK;
            chunk = self.next[chunk as usize];
            // By the time this chunk has been read, the next one should be near.
            if let Some(next) = self.items.get(chunk as usize * CHUNK..) {
                for line in (0..CHUNK * size_of::<T>()).step_by(64) {
                    prefetch(next.as_ptr().wrapping_byte_add(line));
                }
            }
            Some(&self.items[start..start + count])
        })
    }

    /// Gives the bucket's chunks back.
    pub(super) fn release(&mut self, bucket: &mut Bucket) {
        if let Some(last) = bucket.last() {
            self.next[last] = self.free;
            self.free = bucket.head;
        }
        *bucket = Bucket::EMPTY;
    }
}
