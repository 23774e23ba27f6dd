//! A protocol without a market, for tests: actors pass a number on.

use microgrid_actor::{Actor, ActorId, Context, Protocol};

/// Messages, wake-ups and observations are numbers; every hundredth observation is a milestone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Toy;

impl Protocol for Toy {
    type Message = u64;
    type Wake = u32;
    type Observation = u32;

    const MILESTONE: &'static str = "hundred has been reached";

    fn milestone(number: &u32) -> Option<u32> {
        number.is_multiple_of(100).then_some(number / 100)
    }

    fn is_checkpoint(_: &u32) -> bool {
        false
    }
}

/// Sends one message to the other of two.
#[derive(Debug)]
pub(crate) struct Caller;

impl Actor<Toy> for Caller {
    fn start(&mut self, context: &mut Context<'_, Toy>) {
        context.send(ActorId(1 - context.me().0), 1);
    }

    fn receive(&mut self, _: ActorId, _: u64, _: &mut Context<'_, Toy>) {}

    fn wake(&mut self, _: u32, _: &mut Context<'_, Toy>) {}

    fn name(&self) -> String {
        "caller".into()
    }

    fn waiting_for(&self) -> Option<String> {
        None
    }
}
