CREATE TABLE blocks (
    case_number INTEGER NOT NULL,
    channel TEXT NOT NULL,          -- trade, information or energy
    number INTEGER NOT NULL,        -- in its channel, from 0
    position INTEGER NOT NULL,      -- among all blocks of the case, from 0
    time_ns INTEGER NOT NULL,       -- when it was cut, since the start of the run
    previous_hash BLOB,             -- header hash of the block before
    data_hash BLOB NOT NULL,        -- of its envelopes
    header_hash BLOB NOT NULL,
    commit_hash BLOB NOT NULL,      -- of all that the channel's blocks up to this one did to its state
    PRIMARY KEY (case_number, channel, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE transactions (
    case_number INTEGER NOT NULL,
    channel TEXT NOT NULL,
    block INTEGER NOT NULL,
    number INTEGER NOT NULL,        -- in its block, from 0
    code TEXT NOT NULL,             -- Valid, or why it does not count
    envelope TEXT NOT NULL,         -- JSON
    PRIMARY KEY (case_number, channel, block, number)
) STRICT;

CREATE TABLE facts (
    case_number INTEGER NOT NULL,
    channel TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,            -- JSON
    block INTEGER NOT NULL,         -- with transaction_number: who wrote it
    transaction_number INTEGER NOT NULL,
    PRIMARY KEY (case_number, channel, key)
) STRICT;

CREATE TABLE checkpoints (
    case_number INTEGER NOT NULL PRIMARY KEY,
    content TEXT NOT NULL,          -- JSON: how far the channels have come
    signature TEXT NOT NULL         -- of the ledger over the content
) STRICT, WITHOUT ROWID;

CREATE VIEW fact_keys AS
SELECT
    case_number,
    key,
    parts ->> 0 AS kind,
    CAST(parts ->> 1 AS INTEGER) AS slot,
    CAST(parts ->> 2 AS INTEGER) AS first,
    CAST(parts ->> 3 AS INTEGER) AS second,
    value
FROM (SELECT case_number, key, value, '["' || replace(key, '/', '","') || '"]' AS parts FROM facts);

CREATE VIEW tariffs AS
SELECT
    case_number,
    slot,
    value ->> 'feed_in' AS feed_in_cny_per_kwh,
    value ->> 'grid' AS grid_cny_per_kwh
FROM fact_keys WHERE kind = 'tariff';

CREATE VIEW registrations AS
SELECT
    case_number,
    slot,
    first AS prosumer,
    iif(json_type(value) = 'text', value ->> '$', (SELECT json_each.key FROM json_each(fact_keys.value))) AS role,
    value ->> 'Seller' AS surplus_micro_kwh,
    value ->> '$.Buyer.need' AS need_kwh,
    value ->> '$.Buyer.generation' AS generation_kwh,
    value ->> '$.Buyer.preference' AS preference_cny_per_kwh
FROM fact_keys WHERE kind = 'register';

CREATE VIEW games AS
SELECT
    case_number,
    slot,
    value ->> 'sellers' AS sellers,
    value ->> 'buyers' AS buyers,
    value ->> 'first_choice' AS first_choice,
    value ->> 'closes' AS closes_ns
FROM fact_keys WHERE kind = 'game';

CREATE VIEW quotes AS
SELECT
    case_number,
    slot,
    first AS seller,
    value ->> 'version' AS version,
    value ->> 'price' AS price_cny_per_kwh,
    value ->> 'change' AS change_cny_per_kwh,
    value ->> 'updates_at_rest' AS updates_at_rest,
    value ->> 'answers' AS answers_ns
FROM fact_keys WHERE kind = 'quote';

CREATE VIEW choices AS
SELECT
    case_number,
    slot,
    first AS buyer,
    value ->> 'version' AS version,
    value ->> 'shares' AS shares,
    value ->> 'purchases' AS purchases_kwh,
    value ->> 'responsive' AS responsive,
    value ->> 'change' AS change,
    value ->> 'updates_at_rest' AS updates_at_rest,
    value ->> 'answers' AS answers_ns,
    value ->> 'news_age' AS news_age_ns
FROM fact_keys WHERE kind = 'choice';

CREATE VIEW closings AS
SELECT case_number, slot, value ->> 'outcome' AS outcome FROM fact_keys WHERE kind = 'closing';

CREATE VIEW bills AS
SELECT
    case_number,
    slot,
    first AS buyer,
    second AS seller,
    value ->> 'energy' AS energy_micro_kwh,
    value ->> 'price' AS price_cny_per_kwh,
    value ->> 'payment' AS payment_micro_cny,
    value ->> 'fee' AS fee_micro_cny
FROM fact_keys WHERE kind = 'bill';

CREATE VIEW accounts AS
SELECT
    case_number,
    slot,
    first AS prosumer,
    value ->> 'bought' AS bought_micro_kwh,
    value ->> 'sold' AS sold_micro_kwh,
    value ->> 'paid' AS paid_micro_cny,
    value ->> 'earned' AS earned_micro_cny,
    value ->> 'fee' AS fee_micro_cny
FROM fact_keys WHERE kind = 'account';

CREATE VIEW fees AS
SELECT case_number, slot, value ->> '$' AS fees_micro_cny FROM fact_keys WHERE kind = 'fees';

CREATE VIEW settlements AS
SELECT
    case_number,
    slot,
    value ->> 'bills' AS bills,
    value ->> 'energy' AS energy_micro_kwh,
    (
        SELECT envelope -> '$.proposal.call.Void' IS NOT NULL
        FROM facts JOIN transactions USING (case_number, channel, block)
        WHERE facts.case_number = fact_keys.case_number AND channel = 'trade' AND key = fact_keys.key
            AND number = transaction_number
    ) AS void
FROM fact_keys WHERE kind = 'settlement';

CREATE VIEW meters AS
SELECT
    case_number,
    slot,
    first AS prosumer,
    value ->> 'generated' AS generated_micro_kwh,
    value ->> 'consumed' AS consumed_micro_kwh,
    value ->> 'charged' AS charged_micro_kwh,
    value ->> 'discharged' AS discharged_micro_kwh,
    value ->> 'imported' AS imported_micro_kwh,
    value ->> 'exported' AS exported_micro_kwh
FROM fact_keys WHERE kind = 'meter';

CREATE VIEW invoices AS
SELECT
    case_number,
    slot,
    first AS prosumer,
    value ->> 'charge' AS charge_micro_cny,
    value ->> 'credit' AS credit_micro_cny
FROM fact_keys WHERE kind = 'invoice';

CREATE VIEW orders AS
SELECT
    case_number,
    slot,
    first AS prosumer,
    value ->> 'version' AS version,
    value ->> 'side' AS side,
    value ->> 'steps' AS steps,
    value ->> 'until' AS until_ns
FROM fact_keys WHERE kind = 'orders';

CREATE VIEW clearings AS
SELECT
    case_number,
    slot,
    first AS number,
    value ->> 'price' AS price_cny_per_kwh,
    value ->> 'supply' AS supply_micro_kwh,
    value ->> 'demand' AS demand_micro_kwh,
    json_array_length(value, '$.executions') AS executions
FROM fact_keys WHERE kind = 'clearing';

CREATE VIEW executions AS
SELECT
    case_number,
    slot,
    first AS clearing,
    execution.key + 1 AS number,
    execution.value ->> 0 AS buyer,
    execution.value ->> 1 AS seller,
    execution.value ->> 2 AS energy_micro_kwh,
    execution.value ->> 3 AS price_cny_per_kwh
FROM fact_keys JOIN json_each(fact_keys.value, '$.executions') AS execution WHERE kind = 'clearing';

CREATE VIEW group_tariffs AS
SELECT
    case_number,
    slot,
    tariff.key + 1 AS number,
    tariff.value ->> 'feed_in' AS feed_in_cny_per_kwh,
    tariff.value ->> 'grid' AS grid_cny_per_kwh
FROM fact_keys JOIN json_each(fact_keys.value, '$.groups') AS tariff WHERE kind = 'tariff';

CREATE VIEW imbalance_prices AS
SELECT
    case_number,
    slot,
    value ->> '$.imbalance.grid' AS short_cny_per_kwh,
    value ->> '$.imbalance.feed_in' AS long_cny_per_kwh
FROM fact_keys WHERE kind = 'tariff' AND value -> 'imbalance' IS NOT NULL;

CREATE VIEW imbalances AS
SELECT
    case_number,
    slot,
    first AS prosumer,
    coalesce(value ->> 'short', 0) AS short_micro_kwh,
    coalesce(value ->> 'long', 0) AS long_micro_kwh
FROM fact_keys WHERE kind = 'meter' AND coalesce(value -> 'short', value -> 'long') IS NOT NULL;

CREATE VIEW grid_fees AS
SELECT case_number, slot, value ->> '$' AS grid_fees_micro_cny FROM fact_keys WHERE kind = 'grid_fees';
