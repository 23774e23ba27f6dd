//! `bills.csv`: what every prosumer's month came to, in energy by where it came from and went to, and in money.

use super::{
    recorded::{ClosedSlot, Number, Record, Recorded, Span, table},
    sums::{net_costs, own_use_of},
};
use microgrid_agents::{
    market::balance::Balance,
    observation::ProsumerSlot,
    units::{Energy, Money, Total},
};
use microgrid_scenario::population::Member;
use serde::{Deserialize, Serialize};
use std::mem;

table! {
    /// A prosumer's month.
    BillRow in "bills" of (case: u32, month: Option<String>, member: &Member, bill: &Bill) {
        /// Number of the case.
        case: u32 = case,
        /// Which month; empty of a run without dates, of which each prosumer has one row.
        month: Option<String> = month,
        /// Number of the prosumer.
        prosumer: u32 = member.number => shown("prosumer"),
        /// What it is called, if it has a name.
        name: Option<String> = member.name.as_deref().map(str::to_owned),
        /// Its group, if it is in one.
        group: Option<String> = member.group.as_deref().map(str::to_owned),
        /// Generated.
        generation_kwh: Number ["kWh"] = bill.generation.into(),
        /// Consumed.
        consumption_kwh: Number ["kWh"] = bill.consumption.into(),
        /// Generated and consumed at once, in the same slot.
        own_use_kwh: Number ["kWh"] = bill.own_use.into(),
        /// Put into its storage, measured outside.
        charged_kwh: Number ["kWh"] = bill.charged.into(),
        /// Taken from its storage, measured outside.
        discharged_kwh: Number ["kWh"] = bill.discharged.into(),
        /// Bought from other prosumers.
        bought_kwh: Number ["kWh"] = bill.bought.into(),
        /// Sold to other prosumers.
        sold_kwh: Number ["kWh"] = bill.sold.into(),
        /// Drawn from the grid.
        grid_import_kwh: Number ["kWh"] = bill.grid_import.into(),
        /// Fed into the grid.
        grid_export_kwh: Number ["kWh"] = bill.grid_export.into(),
        /// Drawn from the grid beside what it had registered.
        short_kwh: Number ["kWh"] = bill.short.into(),
        /// Fed into the grid beside what it had registered.
        long_kwh: Number ["kWh"] = bill.long.into(),
        /// Paid to other prosumers.
        local_paid_cny: Number ["CNY"] = bill.local_paid.into(),
        /// Earned from other prosumers.
        local_earned_cny: Number ["CNY"] = bill.local_earned.into(),
        /// The operator's part of the fees on its trades.
        service_fee_cny: Number ["CNY"] = (bill.fee - bill.grid_fee).into(),
        /// The grid's part of the fees on its trades.
        grid_fee_cny: Number ["CNY"] = bill.grid_fee.into(),
        /// Paid to the grid for energy.
        grid_paid_cny: Number ["CNY"] = bill.grid_paid.into(),
        /// Earned from the grid for energy.
        grid_earned_cny: Number ["CNY"] = bill.grid_earned.into(),
        /// Payments and fees less earnings.
        net_cost_cny: Number ["CNY"] = bill.net_costs[0].into(),
        /// The same in P2G.
        p2g_net_cost_cny: Number ["CNY"] = bill.net_costs[1].into(),
        /// The same in P2G with storage.
        p2g_storage_net_cost_cny: Number ["CNY"] = bill.net_costs[2].into(),
        /// Net cost saved over P2G.
        savings_cny: Number ["CNY"] = (bill.net_costs[1] - bill.net_costs[0]).into(),
        /// Net cost saved over P2G with storage.
        market_savings_cny: Number ["CNY"] = (bill.net_costs[2] - bill.net_costs[0]).into(),
    }
}

/// A prosumer's month under way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Bill {
    generation: Total<Energy>,
    consumption: Total<Energy>,
    own_use: Total<Energy>,
    charged: Total<Energy>,
    discharged: Total<Energy>,
    bought: Total<Energy>,
    sold: Total<Energy>,
    grid_import: Total<Energy>,
    grid_export: Total<Energy>,
    short: Total<Energy>,
    long: Total<Energy>,
    local_paid: Total<Money>,
    local_earned: Total<Money>,
    fee: Total<Money>,
    grid_fee: Total<Money>,
    grid_paid: Total<Money>,
    grid_earned: Total<Money>,
    /// Here, in P2G, and in P2G with storage.
    net_costs: [Total<Money>; 3],
}

impl Bill {
    fn add(&mut self, done: &ProsumerSlot, without: &Balance, alone: &Balance) {
        let ProsumerSlot { metered, trades, balance, .. } = done;
        self.generation += metered.generation;
        self.consumption += balance.consumed;
        self.own_use += own_use_of(done);
        self.charged += balance.charged;
        self.discharged += balance.discharged;
        self.bought += trades.bought;
        self.sold += trades.sold;
        self.grid_import += balance.drawn();
        self.grid_export += balance.fed_in();
        self.short += balance.short;
        self.long += balance.long;
        self.local_paid += trades.paid;
        self.local_earned += trades.earned;
        self.fee += trades.fee;
        self.grid_paid += balance.grid_paid;
        self.grid_earned += balance.grid_earned;
        let sums = self.net_costs.iter_mut().zip(net_costs(done, without, alone));
        sums.for_each(|(sum, of)| *sum += of);
    }
}

impl Recorded for BillRow {
    const KEPT: Record = Record::Slots;
    type Tally = Vec<Bill>;

    fn with_slot(tally: &mut Vec<Bill>, closed: &ClosedSlot<'_>) -> impl Iterator<Item = Self> {
        let case = closed.case;
        let members = &case.population.prosumers;
        tally.resize_with(members.len(), Bill::default);
        let baselines = closed.theory.peer_to_grid.iter().zip(closed.theory.alone());
        for ((bill, done), (without, alone)) in tally.iter_mut().zip(closed.observed.prosumers()).zip(baselines) {
            bill.add(done, without, alone);
        }
        // As the ledger splits it: of each trade the grid's part is rounded, and the operator has the rest.
        let grid_fee = case.scenario.market.grid_fee;
        if grid_fee > 0.0 {
            for (buyer, _, trade) in closed.observed.trades() {
                tally[buyer.index()].grid_fee += trade.energy.at_price(grid_fee);
            }
        }
        let ended = closed.ended(Span::Month).map(|month| (month, mem::take(tally)));
        ended.into_iter().flat_map(move |(month, bills)| {
            let rows = members.iter().zip(bills);
            rows.map(move |(member, bill)| Self::row(case.number, month.clone(), member, &bill)).collect::<Vec<_>>()
        })
    }
}
