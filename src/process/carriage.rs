//! How messages travel through the queue of events: small ones inside the event, larger ones in a pool beside it.
//!
//! Event size is what hurts a simulation most (a 104-byte event costs twice a 40-byte one), so an event carries at most
//! [`INLINE_MAX`] bytes of message, asserted when the program is compiled.

use std::marker::PhantomData;

/// The most bytes of message that an event carries.
pub const INLINE_MAX: usize = 24;

/// A way to carry messages of type `M`.
pub trait Carriage<M>: Default + Send {
    /// What an event holds.
    type Parcel: Copy + Send;

    /// Hands a message over.
    fn pack(&mut self, message: M) -> Self::Parcel;

    /// Takes the message out; a parcel is unpacked once.
    fn unpack(&mut self, parcel: Self::Parcel) -> M;

    /// What `see` sees in the message.
    fn look<R>(&self, parcel: &Self::Parcel, see: impl FnOnce(&M) -> R) -> R;

    /// A hint that the message will soon be looked at.
    fn prefetch(&self, parcel: &Self::Parcel) {
        let _ = parcel;
    }

    /// Drops every message still on its way.
    fn clear(&mut self);
}

/// Messages of up to [`INLINE_MAX`] bytes that are `Copy`: the event holds the message itself.
pub struct Inline<M>(PhantomData<fn(M)>);

impl<M> Default for Inline<M> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<M: Copy + Send> Carriage<M> for Inline<M> {
    type Parcel = M;

    #[inline(always)]
    fn pack(&mut self, message: M) -> M {
        const { assert!(size_of::<M>() <= INLINE_MAX, "messages over 24 bytes travel `Pooled`") };
        message
    }

    #[inline(always)]
    fn unpack(&mut self, parcel: M) -> M {
        parcel
    }

    #[inline(always)]
    fn look<R>(&self, parcel: &M, see: impl FnOnce(&M) -> R) -> R {
        see(parcel)
    }

    fn clear(&mut self) {}
}

/// Messages of any size: the event holds a ticket, the message waits in a pool whose places are used again.
pub struct Pooled<M> {
    places: Vec<Option<M>>,
    free: Vec<u32>,
}

impl<M> Default for Pooled<M> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

/// A place in a [`Pooled`] carriage.
#[derive(Clone, Copy, Debug)]
pub struct Ticket(u32);

impl<M: Send> Carriage<M> for Pooled<M> {
    type Parcel = Ticket;

    fn pack(&mut self, message: M) -> Ticket {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            u32::try_from(self.places.len() - 1).expect("fewer than 2^32 messages are on their way")
        });
        self.places[place as usize] = Some(message);
        Ticket(place)
    }

    fn unpack(&mut self, Ticket(place): Ticket) -> M {
        let message = self.places[place as usize].take().expect("a parcel is unpacked once");
        self.free.push(place);
        message
    }

    fn look<R>(&self, &Ticket(place): &Ticket, see: impl FnOnce(&M) -> R) -> R {
        see(self.places[place as usize].as_ref().expect("a parcel is not looked at after it was unpacked"))
    }

    fn clear(&mut self) {
        self.places.clear();
        self.free.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_gives_back_what_it_took_and_uses_places_again() {
        let mut pool = Pooled::default();
        let first = pool.pack("first".to_string());
        let second = pool.pack("second".to_string());
        assert_eq!(pool.look(&second, String::len), 6);
        assert_eq!(pool.unpack(first), "first");
        pool.pack("third".to_string());
        assert_eq!(pool.unpack(second), "second");
        assert_eq!(pool.places.len(), 2);
    }
}
