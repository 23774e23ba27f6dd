//! What the simulation draws random numbers for; each has a stream of its own for each actor, see
//! [`microgrid_actor::streams`].

pub use microgrid_actor::streams::Stream;
#[doc(hidden)] // Hidden: for the simulation and `microgrid-analysis`.
pub use microgrid_actor::streams::{stream, stream_of_period as slot_stream};

/// What a stream is for.
#[doc(hidden)] // Hidden: for the simulation and `microgrid-analysis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// An actor's own decisions, such as its first price.
    Behaviour = microgrid_actor::streams::BEHAVIOUR,
    /// Fate of the messages an actor sends.
    Network = microgrid_actor::streams::NETWORK,
    /// Making a synthetic prosumer.
    Population = 3,
    /// An actor's secret key.
    Key = 4,
    /// When an actor acts.
    Activation = 5,
    /// Which part of a mixed population a prosumer belongs to.
    Mix = 6,
    /// Which groups of the network a prosumer belongs to.
    Group = 7,
    /// Which sellers a buyer knows in a slot.
    Acquaintance = 8,
    /// How far a prosumer foresees a slot wrongly.
    Forecast = 9,
}

impl From<Purpose> for u32 {
    fn from(purpose: Purpose) -> Self {
        purpose as Self
    }
}
