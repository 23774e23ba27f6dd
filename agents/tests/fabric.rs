//! Four blocks of a real Hyperledger Fabric network, and the hashes that network gave them.

use base64::{Engine, prelude::BASE64_STANDARD};
use microgrid_agents::chain::{
    block::{data_hash, header_hash},
    hash::Digest,
};
use serde::Deserialize;

/// A block as the network's orderer cut it.
#[derive(Deserialize)]
struct Block {
    number: u64,
    previous_hash: Digest,
    data_hash: Digest,
    header_hash: Digest,
    envelopes_base64: Vec<String>,
}

impl Block {
    fn envelopes(&self) -> Vec<Vec<u8>> {
        self.envelopes_base64.iter().map(|text| BASE64_STANDARD.decode(text).unwrap()).collect()
    }
}

fn blocks() -> Vec<Block> {
    #[derive(Deserialize)]
    struct Fixture {
        blocks: Vec<Block>,
    }
    let fixture: Fixture = serde_json::from_str(include_str!("data/fabric_blocks.json")).unwrap();
    assert_eq!(fixture.blocks.iter().map(|block| block.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    fixture.blocks
}

#[test]
fn data_hashes_are_those_of_the_network() {
    for block in blocks() {
        assert_eq!(data_hash(block.envelopes()), block.data_hash, "block {}", block.number);
    }
}

#[test]
fn header_hashes_are_those_of_the_network() {
    for block in blocks() {
        let hash = header_hash(block.number, Some(block.previous_hash), data_hash(block.envelopes()));
        assert_eq!(hash, block.header_hash, "block {}", block.number);
    }
}

#[test]
fn each_block_links_to_the_one_before() {
    let blocks = blocks();
    let mut previous = blocks[0].previous_hash;
    for block in &blocks {
        assert_eq!(block.previous_hash, previous, "block {}", block.number);
        previous = header_hash(block.number, Some(previous), data_hash(block.envelopes()));
    }
    assert_eq!(previous, blocks[3].header_hash);
}

#[test]
fn envelopes_count_in_their_order_and_not_by_where_they_are_cut() {
    let envelopes: Vec<Vec<u8>> = blocks().iter().flat_map(Block::envelopes).collect();
    let together = data_hash(&envelopes);
    assert_eq!(together, data_hash([envelopes.concat()]));
    let backwards = data_hash(envelopes.iter().rev());
    assert_ne!(together, backwards);
    assert_ne!(together, data_hash(&envelopes[1..]));
}

#[test]
fn a_flipped_bit_in_any_byte_of_an_envelope_shows() {
    for block in blocks() {
        let mut envelopes = block.envelopes();
        for n in 0..envelopes.len() {
            for place in 0..envelopes[n].len() {
                let bit = 1 << (place % 8);
                envelopes[n][place] ^= bit;
                assert_ne!(data_hash(&envelopes), block.data_hash, "block {}, byte {place}", block.number);
                envelopes[n][place] ^= bit;
            }
        }
        assert_eq!(data_hash(&envelopes), block.data_hash);
    }
}

#[test]
fn a_flipped_bit_anywhere_in_a_header_shows() {
    for block in blocks() {
        for bit in 0..64 {
            let hash = header_hash(block.number ^ 1 << bit, Some(block.previous_hash), block.data_hash);
            assert_ne!(hash, block.header_hash, "block {}, bit {bit} of its number", block.number);
        }
        for bit in 0..256 {
            let flipped = |digest: Digest| {
                let mut bytes = digest.0;
                bytes[bit / 8] ^= 1 << (bit % 8);
                Digest(bytes)
            };
            let other_previous = header_hash(block.number, Some(flipped(block.previous_hash)), block.data_hash);
            assert_ne!(other_previous, block.header_hash, "block {}, bit {bit} of the previous hash", block.number);
            let other_data = header_hash(block.number, Some(block.previous_hash), flipped(block.data_hash));
            assert_ne!(other_data, block.header_hash, "block {}, bit {bit} of the data hash", block.number);
        }
        assert_ne!(header_hash(block.number, None, block.data_hash), block.header_hash);
    }
}
