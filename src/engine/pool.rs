//! Unsorted buckets in shared chunks.
//!
//! A bucket is a list of fixed-size chunks out of one pool, so memory follows what is pending and not each bucket's record
//! height, and nothing is allocated once the pool has reached its size.

use super::prefetch::prefetch;

const CHUNK: usize = 16;
const NONE: u32 = u32::MAX;

/// An unsorted bag of events; its events live in a [`Pool`].
#[derive(Clone, Copy)]
pub(super) struct Bucket {
    head: u32,
    tail: u32,
    len: u32,
}

impl Bucket {
    pub(super) const EMPTY: Self = Self { head: NONE, tail: NONE, len: 0 };

    pub(super) fn len(self) -> usize {
        self.len as usize
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

    #[inline(always)]
    pub(super) fn push(&mut self, bucket: &mut Bucket, item: T) {
        let place = bucket.len as usize % CHUNK;
        if place == 0 {
            self.grow(bucket, item);
        }
        self.items[bucket.tail as usize * CHUNK + place] = item;
        bucket.len += 1;
    }

    fn grow(&mut self, bucket: &mut Bucket, filler: T) {
        let chunk = if self.free == NONE {
            let items = u32::try_from(self.items.len()).expect("fewer than 2^32 events are pending");
            let chunk = items / CHUNK as u32;
            self.items.resize(self.items.len() + CHUNK, filler);
            self.next.push(NONE);
            chunk
        } else {
            let chunk = self.free;
            self.free = self.next[chunk as usize];
            self.next[chunk as usize] = NONE;
            chunk
        };
        match bucket.tail {
            NONE => bucket.head = chunk,
            tail => self.next[tail as usize] = chunk,
        }
        bucket.tail = chunk;
    }

    #[inline(always)]
    pub(super) fn get(&self, index: u32) -> &T {
        &self.items[index as usize]
    }

    /// The chunks of a bucket in order: the index of a chunk's first event, and its events.
    pub(super) fn chunks(&self, bucket: Bucket) -> impl Iterator<Item = (u32, &[T])> {
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
            Some((start as u32, &self.items[start..start + count]))
        })
    }

    /// Gives the bucket's chunks back; its events stay readable until the next push.
    pub(super) fn release(&mut self, bucket: &mut Bucket) {
        if bucket.head != NONE {
            self.next[bucket.tail as usize] = self.free;
            self.free = bucket.head;
        }
        *bucket = Bucket::EMPTY;
    }
}
