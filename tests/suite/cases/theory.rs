//! What is right, by other means than the program's: a slot's closed form by bisection on total demand, and what
//! everybody's slot comes to, in floating point.

use microgrid_agents::market::demand::Demand;
use microgrid_sim::scenario::Case;

/// A prosumer's slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prosumer {
    pub(super) number: u32,
    /// Generation and load [kWh].
    pub(super) pv: f64,
    pub(super) load: f64,
    /// Preference for local energy, on the ledger and without it, and for the grid's [CNY/kWh].
    pub(super) local: f64,
    pub(super) without: f64,
    pub(super) grid: f64,
}

impl Prosumer {
    pub(super) fn need(&self) -> f64 {
        (self.load - self.pv).max(0.0)
    }

    pub(super) fn surplus(&self) -> f64 {
        (self.pv - self.load).max(0.0)
    }
}

/// A slot's market.
#[derive(Clone, Debug)]
pub(super) struct Market {
    pub(super) floor: f64,
    /// The grid's tariff [CNY/kWh].
    pub(super) tariff: f64,
    pub(super) fee: f64,
    /// Curvature of the slot [CNY/kWh²].
    alpha: f64,
    firm: bool,
    hours: f64,
    pub(super) prosumers: Vec<Prosumer>,
}

/// Where a market clears.
#[derive(Debug)]
pub(super) struct Clearing {
    /// Least and greatest price that clears it [CNY/kWh].
    pub(super) prices: [f64; 2],
    /// What each prosumer buys and sells [kWh]; who sells how much is open at the floor.
    pub(super) bought: Vec<f64>,
    pub(super) sold: Option<Vec<f64>>,
    pub(super) traded: f64,
}

/// A prosumer's slot as it comes out [kWh, CNY].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settled {
    pub(super) welfare: f64,
    pub(super) consumed: f64,
    pub(super) import: f64,
    pub(super) export: f64,
    /// Content of the storage at the end.
    pub(super) content: f64,
}

/// Trades of a prosumer: bought and sold [kWh], paid with fees and earned [CNY].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trades {
    pub(super) bought: f64,
    pub(super) sold: f64,
    pub(super) paid: f64,
    pub(super) earned: f64,
}

impl Market {
    pub(super) fn of(case: &Case, slot: u32) -> Self {
        let (market, preferences) = (&case.scenario.market, &case.scenario.preferences);
        let hours = market.slot_length.as_secs_f64() / 3600.0;
        let prosumers = case.population.prosumers.iter().map(|member| {
            let profile = member.profile.slot(slot);
            Prosumer {
                number: member.number,
                pv: profile.generation.value(),
                load: profile.load.value(),
                local: (1.0 + preferences.eta * preferences.mu) * profile.preference_pv,
                without: profile.preference_pv,
                grid: profile.preference_grid,
            }
        });
        Self {
            floor: case.tariffs.feed_in[slot as usize - 1],
            tariff: case.tariffs.grid[slot as usize - 1],
            fee: market.service_fee,
            alpha: preferences.alpha / hours,
            firm: preferences.demand == Demand::Firm,
            hours,
            prosumers: prosumers.collect(),
        }
    }

    /// The same among these prosumers only.
    pub(super) fn among(&self, admitted: impl Fn(u32) -> bool) -> Self {
        let prosumers = self.prosumers.iter().copied().filter(|prosumer| admitted(prosumer.number)).collect();
        Self { prosumers, ..self.clone() }
    }

    pub(super) fn has_both_sides(&self) -> bool {
        let any = |amount: fn(&Prosumer) -> f64| self.prosumers.iter().any(|prosumer| amount(prosumer) > 0.0);
        any(Prosumer::need) && any(Prosumer::surplus)
    }

    pub(super) fn surplus(&self) -> f64 {
        self.prosumers.iter().map(Prosumer::surplus).sum()
    }

    /// What a prosumer would buy at this price of the sellers (7) [kWh].
    fn wanted(&self, prosumer: &Prosumer, price: f64) -> f64 {
        if prosumer.need() == 0.0 {
            return 0.0;
        }
        let free = ((prosumer.local - price - self.fee) / self.alpha - prosumer.pv).max(0.0);
        if self.firm { free.min(prosumer.need()) } else { free }
    }

    fn demand(&self, price: f64) -> f64 {
        self.prosumers.iter().map(|prosumer| self.wanted(prosumer, price)).sum()
    }

    /// Where it clears; nowhere if one side is missing or no price is between the tariffs.
    pub(super) fn clearing(&self) -> Option<Clearing> {
        let (floor, ceiling) = (self.floor, self.tariff - self.fee);
        // Decimal numbers: a fee of all that lies between the tariffs leaves the feed-in tariff.
        let ceiling = if (ceiling - floor).abs() < 1e-12 { floor } else { ceiling };
        if !self.has_both_sides() || ceiling < floor {
            return None;
        }
        let surplus = self.surplus();
        // Demand falls with the price: it is at least the surplus up to one price, and at most it from another one on.
        let last = |holds: &dyn Fn(f64) -> bool| {
            let (mut low, mut high) = (floor, ceiling);
            for _ in 0..100 {
                let middle = f64::midpoint(low, high);
                *if holds(middle) { &mut low } else { &mut high } = middle;
            }
            if holds(ceiling) { ceiling } else { low }
        };
        let low = last(&|price| self.demand(price) > surplus * (1.0 + 1e-12));
        let high = last(&|price| self.demand(price) >= surplus * (1.0 - 1e-12)).max(low);
        let demand = self.demand(high);
        let part = (surplus / demand).min(1.0);
        let bought: Vec<f64> = self.prosumers.iter().map(|prosumer| part * self.wanted(prosumer, high)).collect();
        let sold = self.prosumers.iter().map(Prosumer::surplus).collect();
        let short = demand >= surplus * (1.0 - 1e-9);
        Some(Clearing { prices: [low, high], traded: demand.min(surplus), bought, sold: short.then_some(sold) })
    }

    /// Utility of consumption (4) [CNY].
    fn utility(&self, consumed: f64, preference: f64) -> f64 {
        let consumed = consumed.min(preference / self.alpha);
        preference * consumed - self.alpha / 2.0 * consumed * consumed
    }

    /// A prosumer's slot with these trades, and with a storage that holds so much at the beginning.
    pub(super) fn settle(
        &self,
        case: &Case,
        prosumer: &Prosumer,
        preference: f64,
        trades: Trades,
        content: Option<f64>,
    ) -> Settled {
        let storage = case.scenario.storage.as_ref().zip(content);
        if prosumer.need() == 0.0 {
            let unsold = prosumer.surplus() - trades.sold;
            let (charged, content) = storage.map_or((0.0, 0.0), |(storage, content)| {
                let charged = unsold
                    .min(storage.power_kw * self.hours)
                    .min((storage.capacity_kwh - content) / storage.efficiency);
                (charged, content + storage.efficiency * charged)
            });
            let export = unsold - charged;
            let welfare = self.utility(prosumer.load, preference) + trades.earned + self.floor * export;
            return Settled { welfare, consumed: prosumer.load, export, content, ..Settled::default() };
        }
        let unmet = (prosumer.need() - trades.bought).max(0.0);
        let (discharged, content) = storage.map_or((0.0, 0.0), |(storage, content)| {
            let discharged = unmet.min(storage.power_kw * self.hours).min(content * storage.efficiency);
            (discharged, content - discharged / storage.efficiency)
        });
        let local = prosumer.pv + trades.bought + discharged;
        let remaining = unmet - discharged;
        let worth = ((prosumer.grid - self.tariff) / self.alpha - local).max(0.0);
        let import = if self.firm { remaining } else { remaining.min(worth) };
        let consumed = local + import;
        let welfare = self.utility(local, preference) + self.utility(consumed, prosumer.grid)
            - self.utility(local, prosumer.grid)
            - trades.paid
            - self.tariff * import;
        Settled { welfare, consumed, import, export: 0.0, content }
    }

    /// Everybody's slot at the closed form, without storages; with the grid alone where there is none.
    pub(super) fn settled(&self, case: &Case) -> Vec<Settled> {
        let clearing = self.clearing();
        let slots = self.prosumers.iter().enumerate().map(|(index, prosumer)| {
            let trades = clearing.as_ref().map_or_else(Trades::default, |clearing| {
                let (bought, price) = (clearing.bought[index], clearing.prices[1]);
                // Who sells what is left open at the floor makes no difference there: the grid pays the same.
                let sold = clearing.traded * prosumer.surplus() / self.surplus();
                Trades { bought, sold, paid: bought * (price + self.fee), earned: sold * price }
            });
            self.settle(case, prosumer, prosumer.local, trades, None)
        });
        slots.collect()
    }

    /// Everybody's slot with the grid alone, though on the ledger.
    pub(super) fn alone(&self, case: &Case) -> Vec<Settled> {
        let settle = |prosumer: &Prosumer| self.settle(case, prosumer, prosumer.local, Trades::default(), None);
        self.prosumers.iter().map(settle).collect()
    }
}
