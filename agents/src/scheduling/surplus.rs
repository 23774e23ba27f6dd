//! Where it costs least: own surplus costs what the grid would pay for it, the rest what the grid asks.

use super::{Outlook, Room, Task};
use crate::units::Energy;

pub(super) fn plan(task: &Task, outlook: Outlook<'_>) -> Vec<Energy> {
    let Outlook { grid_tariff, feed_in_tariff, surplus } = outlook;
    let rooms = task.most.iter().enumerate().flat_map(|(slot, &most)| {
        let own = most.min(surplus[slot].or_zero());
        let of_own = Room { slot, most: own, price: feed_in_tariff[slot] };
        [of_own, Room { slot, most: most - own, price: grid_tariff[slot] }]
    });
    task.fill(rooms.collect())
}
