//! A four-way heap whose comparison is handed in.
//!
//! Four children share a cache line or two, so a level costs one miss instead of two; the comparison needs the run's tie
//! rule, which no `Ord` implementation could reach.

/// The smallest element on top, by whatever `less` each call is given (always the same one).
pub(super) struct Heap<T> {
    items: Vec<T>,
}

const ARITY: usize = 4;

impl<T: Copy> Heap<T> {
    pub(super) fn new() -> Self {
        Self { items: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn peek(&self) -> Option<&T> {
        self.items.first()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
    }

    pub(super) fn push(&mut self, item: T, less: impl Fn(&T, &T) -> bool) {
        let mut hole = self.items.len();
        self.items.push(item);
        while hole > 0 {
            let parent = (hole - 1) / ARITY;
            if !less(&item, &self.items[parent]) {
                break;
            }
            self.items[hole] = self.items[parent];
            hole = parent;
        }
        self.items[hole] = item;
    }

    /// Takes the top.
    ///
    /// # Panics
    /// When there is none.
    pub(super) fn pop(&mut self, less: impl Fn(&T, &T) -> bool) -> T {
        let last = self.items.pop().expect("the heap holds something");
        let Some(&top) = self.items.first() else { return last };
        let mut hole = 0;
        loop {
            let first = ARITY * hole + 1;
            let end = (first + ARITY).min(self.items.len());
            let Some(least) = (first..end).reduce(|a, b| if less(&self.items[b], &self.items[a]) { b } else { a })
            else {
                break;
            };
            if !less(&self.items[least], &last) {
                break;
            }
            self.items[hole] = self.items[least];
            hole = least;
        }
        self.items[hole] = last;
        top
    }
}
