//! Values on their way to another process: bytes in which what several values share stands once.
//!
//! A field of type [`Arc`] that is marked with `#[serde(with = "microgrid_actor::parcel::shared")]` travels as
//! a number, with its content only where the receiver has not had it yet; so thousands of messages about one market carry it
//! once, and their receivers share one copy again. An optional one is marked with `shared_if_any`. Outside of parcels such
//! fields are written as they are.

use crate::saved::{Unreadable, from_bytes, to_bytes_in};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use std::{
    any::{Any, TypeId},
    cell::RefCell,
    collections::BTreeMap,
    fmt, mem,
    sync::{Arc, Weak},
};

/// Makes the parcels for one receiver.
#[derive(Default)]
pub struct Packer {
    /// What the receiver has, by its type and address, with its number; an address has no other use as long as it is here.
    sent: BTreeMap<(TypeId, usize), (u32, Box<dyn Kept>)>,
    next: u32,
}

/// Opens the parcels of one sender, in the order in which they were made.
#[derive(Default)]
pub struct Unpacker {
    /// What has come, by its number.
    known: BTreeMap<u32, Box<dyn Any>>,
}

/// What does not keep others from dropping it.
trait Kept {
    /// Whether nobody has it any more.
    fn is_gone(&self) -> bool;
}

impl<T: ?Sized> Kept for Weak<T> {
    fn is_gone(&self) -> bool {
        self.strong_count() == 0
    }
}

thread_local! {
    static PACKER: RefCell<Option<Packer>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<Unpacker>> = const { RefCell::new(None) };
}

/// Whether what is written now is a parcel: there all fields have their place, whatever a text leaves out.
pub fn is_being_made() -> bool {
    PACKER.with_borrow(Option::is_some)
}

impl Packer {
    /// A value as bytes, which are written to this memory in place of what it held.
    pub fn pack(&mut self, value: &impl Serialize, memory: Vec<u8>) -> Vec<u8> {
        let gone: Vec<u32> = self.sent.extract_if(.., |_, (_, kept)| kept.is_gone()).map(|(_, (n, _))| n).collect();
        PACKER.set(Some(mem::take(self)));
        let bytes = to_bytes_in(&(gone, value), memory);
        *self = PACKER.take().unwrap_or_default();
        bytes
    }

    /// The number of what is shared, and whether the receiver has not had it yet.
    fn number<T: ?Sized + 'static>(&mut self, shared: &Arc<T>) -> (u32, bool) {
        let key = (TypeId::of::<Arc<T>>(), Arc::as_ptr(shared).cast::<()>() as usize);
        if let Some((number, _)) = self.sent.get(&key) {
            return (*number, false);
        }
        self.next = self.next.wrapping_add(1);
        self.sent.insert(key, (self.next, Box::new(Arc::downgrade(shared))));
        (self.next, true)
    }
}

impl Unpacker {
    /// The value that became these bytes.
    ///
    /// # Errors
    /// If they are no parcel with such a value, or not the next of their sender.
    pub fn unpack<T: DeserializeOwned>(&mut self, bytes: &[u8]) -> Result<T, Unreadable> {
        UNPACKER.set(Some(mem::take(self)));
        let opened = from_bytes::<(Vec<u32>, T)>(bytes);
        *self = UNPACKER.take().unwrap_or_default();
        let (gone, value) = opened?;
        gone.iter().for_each(|number| drop(self.known.remove(number)));
        Ok(value)
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packer({} shared)", self.sent.len())
    }
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unpacker({} shared)", self.known.len())
    }
}

/// A field that is shared with others.
pub mod shared {
    use super::*;

    /// Writes it.
    ///
    /// # Errors
    /// As its content's.
    pub fn serialize<T: ?Sized + Serialize + 'static, S: Serializer>(
        shared: &Arc<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match PACKER.with_borrow_mut(|packer| packer.as_mut().map(|packer| packer.number(shared))) {
            None => shared.serialize(serializer),
            Some((number, is_new)) => (number, is_new.then_some(&**shared)).serialize(serializer),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// As its content's, or if it should have come before and has not.
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Arc<T>, D::Error>
    where
        T: ?Sized + 'static,
        Arc<T>: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        if !UNPACKER.with_borrow(Option::is_some) {
            return Arc::deserialize(deserializer);
        }
        let (number, content): (u32, Option<Arc<T>>) = Deserialize::deserialize(deserializer)?;
        UNPACKER.with_borrow_mut(|unpacker| {
            let known = &mut unpacker.get_or_insert_default().known;
            if let Some(content) = &content {
                known.insert(number, Box::new(Arc::clone(content)));
            }
            let known = || known.get(&number)?.downcast_ref::<Arc<T>>().cloned();
            content.or_else(known).ok_or_else(|| serde::de::Error::custom("something shared is missing"))
        })
    }
}

/// A field that is shared with others, if it is there.
pub mod shared_if_any {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(bound(serialize = "T: Serialize", deserialize = "Arc<T>: Deserialize<'de>"))]
    struct Shared<T: ?Sized + 'static>(#[serde(with = "super::shared")] Arc<T>);

    /// Writes it.
    ///
    /// # Errors
    /// As its content's.
    pub fn serialize<T: ?Sized + Serialize + 'static, S: Serializer>(
        shared: &Option<Arc<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        shared.clone().map(Shared).serialize(serializer)
    }

    /// Reads it.
    ///
    /// # Errors
    /// As its content's, or if it should have come before and has not.
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<Arc<T>>, D::Error>
    where
        T: ?Sized + 'static,
        Arc<T>: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Option::<Shared<T>>::deserialize(deserializer).map(|shared| shared.map(|Shared(shared)| shared))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saved::to_bytes;

    #[derive(Debug, Serialize, Deserialize)]
    struct Letter {
        #[serde(with = "shared")]
        list: Arc<[u64]>,
        #[serde(with = "shared_if_any")]
        inner: Option<Arc<Inner>>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Inner(#[serde(with = "shared")] Arc<[u64]>);

    #[test]
    fn what_is_shared_travels_once_and_is_shared_again() {
        let (mut packer, mut unpacker) = (Packer::default(), Unpacker::default());
        let list: Arc<[u64]> = (0..1000).map(|n| n << 32).collect();
        let inner = Arc::new(Inner(Arc::clone(&list)));
        let letter = || Letter { list: Arc::clone(&list), inner: Some(Arc::clone(&inner)) };
        let first = packer.pack(&[letter(), letter()], Vec::new());
        let second = packer.pack(&letter(), first.clone());
        assert!(second.len() < 10 && first.len() > 5000, "{} and {} bytes", first.len(), second.len());
        let letters: [Letter; 2] = unpacker.unpack(&first).unwrap();
        let again: Letter = unpacker.unpack(&second).unwrap();
        assert_eq!(again.list, list);
        for letter in &letters {
            assert!(Arc::ptr_eq(&letter.list, &again.list));
            let [one, other] = [&letter.inner, &again.inner].map(|inner| inner.as_ref().unwrap());
            assert!(Arc::ptr_eq(one, other) && Arc::ptr_eq(&one.0, &again.list));
        }
    }

    #[test]
    fn what_nobody_has_any_more_is_forgotten_on_both_sides() {
        let (mut packer, mut unpacker) = (Packer::default(), Unpacker::default());
        for n in 0..100 {
            let list: Arc<[u64]> = Arc::new([n]);
            let letter: Letter = unpacker.unpack(&packer.pack(&Letter { list, inner: None }, Vec::new())).unwrap();
            assert_eq!(*letter.list, [n]);
        }
        assert_eq!((packer.sent.len(), unpacker.known.len()), (1, 1));
    }

    #[test]
    fn what_should_have_come_before_is_missed() {
        let mut packer = Packer::default();
        let letter = Letter { list: Arc::new([1]), inner: None };
        packer.pack(&letter, Vec::new());
        assert!(Unpacker::default().unpack::<Letter>(&packer.pack(&letter, Vec::new())).is_err());
        let plain: Letter = from_bytes(&to_bytes(&letter)).unwrap();
        assert_eq!(plain.list, letter.list);
    }
}
