//! Energy, money and messages of all prosumers, added up exactly.

use microgrid_agents::{
    observation::ProsumerSlot,
    units::{Energy, Money, Total},
};
use serde::{Deserialize, Serialize};

/// Declares the totals, each as a sum of something that a prosumer did in a slot.
macro_rules! totals {
    ($($(#[$doc:meta])* $total:ident: $amount:ident = |$done:ident| $of:expr,)+) => {
        /// Sums over all slots and prosumers.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub struct Totals {
            $($(#[$doc])* pub $total: f64,)+
            /// Messages sent.
            pub messages: u64,
            /// What the operator has earned from the fees of all trades [CNY].
            pub operator_revenue_cny: f64,
            /// Length of what was put on the chains, their first blocks not counted [bytes].
            pub bytes: u64,
            /// What the grid has earned from its fee on all trades [CNY].
            #[serde(default)]
            pub grid_fees_cny: f64,
        }

        /// The same while they are running, in whole units.
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        pub(super) struct Flows {
            $(pub(super) $total: Total<$amount>,)+
            pub(super) messages: u64,
            pub(super) operator: Total<Money>,
            pub(super) bytes: u64,
            pub(super) grid_fees: Total<Money>,
        }

        impl Flows {
            pub(super) fn add(&mut self, slot: &ProsumerSlot) {
                $(let $done = slot;
                self.$total += $of;)+
            }

            /// Adds those of another time.
            pub(super) fn join(&mut self, other: &Self) {
                $(self.$total += other.$total;)+
                self.messages += other.messages;
                self.operator += other.operator;
                self.bytes += other.bytes;
                self.grid_fees += other.grid_fees;
            }

            pub(super) fn totals(&self) -> Totals {
                Totals {
                    $($total: self.$total.value(),)+
                    messages: self.messages,
                    operator_revenue_cny: self.operator.value(),
                    bytes: self.bytes,
                    grid_fees_cny: self.grid_fees.value(),
                }
            }
        }
    };
}

totals! {
    /// Generated [kWh].
    generation_kwh: Energy = |done| done.metered.generation,
    /// What prosumers wanted to consume [kWh].
    load_kwh: Energy = |done| done.metered.load,
    /// What they consumed [kWh].
    consumption_kwh: Energy = |done| done.balance.consumed,
    /// Traded between prosumers [kWh].
    traded_kwh: Energy = |done| done.trades.bought,
    /// Drawn from the grid [kWh].
    grid_import_kwh: Energy = |done| done.balance.drawn(),
    /// Fed into the grid [kWh].
    grid_export_kwh: Energy = |done| done.balance.fed_in(),
    /// Put into storages, measured outside [kWh].
    charged_kwh: Energy = |done| done.balance.charged,
    /// Taken from storages, measured outside [kWh].
    discharged_kwh: Energy = |done| done.balance.discharged,
    /// Paid to prosumers and to the grid [CNY].
    paid_cny: Money = |done| done.paid(),
    /// Earned from prosumers and from the grid [CNY].
    earned_cny: Money = |done| done.earned(),
    /// Paid on top of local trades, to the operator and to the grid [CNY].
    fees_cny: Money = |done| done.trades.fee,
}
