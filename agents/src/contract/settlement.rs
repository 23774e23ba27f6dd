//! After the game: trades become bills, and bills add up to accounts.

use super::{Contract, Stub};
use crate::{
    chain::{
        call::Settlement,
        fact::{Account, Bill, Fact, Game, GridFees, Key, Number, Settled},
        genesis::Rules,
        refusal::{Refusal, Validity, ensure},
    },
    ids::Slot,
    mechanism::{Lawful, under},
    statement::Registration,
    units::{Energy, Money, Total},
};
use std::{collections::BTreeMap, sync::Arc};

impl Contract {
    /// The trades of a slot become final. Whether they are all that follow from the game, and endorsed by both sides,
    /// is not decided here: the contract sees to it that nobody trades more than it has offered or asked for, and does
    /// the sums.
    pub(super) fn settle(&self, settlement: &Settlement, stub: &mut impl Stub) -> Validity {
        let slot = settlement.slot;
        ensure(!stub.has(Key::Settlement(slot)), Refusal::AlreadySettled)?;
        ensure(self.genesis.market_opens(slot), Refusal::MarketClosed)?;
        ensure(stub.has(Key::Tariff(slot)), Refusal::MarketClosed)?;
        let (game, closed): (Option<Arc<Game>>, _) = (stub.find(Key::Game(slot)), stub.has(Key::Closing(slot)));
        let mut books = Books::default();
        match game {
            Some(game) if closed => {
                books.sellers.resize_with(game.sellers.len(), || None);
                books.bills.reserve_exact(settlement.trades.len());
                let rules = &self.genesis.rules;
                under!(rules.mechanism, Law => {
                    let mut law = Law::of(&game, slot, stub);
                    for &trade in &settlement.trades {
                        books.enter(slot, trade, &game, &mut law, rules, stub)?;
                    }
                });
            }
            // Too few had registered for a game: a slot without trades.
            None if settlement.trades.is_empty() => {}
            _ => return Err(Refusal::MarketClosed),
        }
        books.write(settlement, self.genesis.rules.grid_fee != 0.0, stub)
    }
}

/// The bills of a slot and what they add up to. Sums are wide, and what no account can hold is refused. Registrations
/// are bounded so that this never comes to pass.
#[derive(Default)]
struct Books {
    /// The bills, in the order of the trades.
    bills: Vec<Bill>,
    /// Buyer and seller of the last.
    last: Option<(Number, Number)>,
    /// Of the operator.
    fees: Total<Money>,
    grid_fees: Total<Money>,
    energy: Total<Energy>,
    /// Those of the game's sellers that have a trade, by their position.
    sellers: Vec<Option<SellerBooks>>,
    /// Those of the game's buyers that have a trade, ascending.
    buyers: Vec<BuyerBooks>,
}

struct SellerBooks {
    number: Number,
    surplus: Energy,
    sold: Energy,
    earned: Total<Money>,
}

struct BuyerBooks {
    number: Number,
    bought: Total<Energy>,
    paid: Total<Money>,
    fee: Total<Money>,
}

impl Books {
    fn enter(
        &mut self,
        slot: Slot,
        (buyer, seller, energy): (Number, Number, Energy),
        game: &Game,
        law: &mut impl Lawful,
        rules: &Rules,
        stub: &mut impl Stub,
    ) -> Validity {
        let in_order = self.last.is_none_or(|last| last < (buyer, seller));
        ensure(in_order && energy > Energy::ZERO, Refusal::InvalidPurchases)?;
        let place = game.sellers.binary_search(&seller).map_err(|_| Refusal::NotAParticipant)?;
        ensure(game.buyers.binary_search(&buyer).is_ok(), Refusal::NotAParticipant)?;
        let selling = match &mut self.sellers[place] {
            Some(known) => known,
            vacant => {
                law.read_seller(slot, place, seller, stub)?;
                let surplus = match stub.find(Key::Register(slot, seller)) {
                    Some(Registration::Seller(surplus)) => surplus,
                    _ => Energy::ZERO,
                };
                let (sold, earned) = (Energy::ZERO, Total::default());
                vacant.insert(SellerBooks { number: seller, surplus, sold, earned })
            }
        };
        if self.buyers.last().is_none_or(|last| last.number != buyer) {
            law.read_buyer(slot, buyer, stub)?;
            let (bought, paid, fee) = (Total::default(), Total::default(), Total::default());
            self.buyers.push(BuyerBooks { number: buyer, bought, paid, fee });
        }
        let buying = self.buyers.last_mut().expect("the trade's buyer is the last");
        ensure(energy <= selling.surplus - selling.sold, Refusal::MoreThanSurplus)?;
        let price = law.price(place, energy, buying.bought)?;
        let payment = energy.priced(price).ok_or(Refusal::NotFinite)?;
        let fee = energy.priced(rules.local_fee()).ok_or(Refusal::NotFinite)?;
        let grid_fee = energy.priced(rules.grid_fee).ok_or(Refusal::NotFinite)?;
        selling.sold += energy;
        selling.earned += payment;
        buying.bought += energy;
        buying.paid += payment;
        buying.fee += fee;
        self.fees = self.fees + fee - grid_fee;
        self.grid_fees += grid_fee;
        self.energy += energy;
        self.bills.push(Bill { energy, price, payment, fee });
        self.last = Some((buyer, seller));
        Ok(())
    }

    /// What each participant's bills add up to, by its number; `None` if an account cannot hold that.
    fn accounts(&self) -> Option<BTreeMap<Number, Account>> {
        let mut accounts: BTreeMap<Number, Account> = BTreeMap::new();
        for &BuyerBooks { number, bought, paid, fee, .. } in &self.buyers {
            let (bought, paid, fee) = (bought.amount()?, paid.amount()?, fee.amount()?);
            accounts.insert(number, Account { bought, paid, fee, ..Account::default() });
        }
        for &SellerBooks { number, sold, earned, .. } in self.sellers.iter().flatten() {
            let account = accounts.entry(number).or_default();
            (account.sold, account.earned) = (sold, earned.amount()?);
        }
        Some(accounts)
    }

    fn write(self, settlement: &Settlement, has_grid_fee: bool, stub: &mut impl Stub) -> Validity {
        let slot = settlement.slot;
        let accounts = self.accounts().ok_or(Refusal::NotFinite)?;
        let fees = self.fees.amount().ok_or(Refusal::NotFinite)?;
        let grid_fees = self.grid_fees.amount().ok_or(Refusal::NotFinite)?;
        let energy = self.energy.amount().ok_or(Refusal::NotFinite)?;
        let settled = Settled { bills: self.bills.len() as u32, energy };
        for (&(buyer, seller, _), bill) in settlement.trades.iter().zip(self.bills) {
            stub.write(Key::Bill(slot, buyer, seller), Fact::Bill(bill));
        }
        for (number, account) in accounts {
            stub.write(Key::Account(slot, number), Fact::Account(account));
        }
        stub.write(Key::Fees(slot), Fact::Fees(fees));
        if has_grid_fee {
            stub.write(Key::GridFees(slot), Fact::GridFees(GridFees(grid_fees)));
        }
        stub.write(Key::Settlement(slot), Fact::Settlement(settled));
        Ok(())
    }
}
