//! FIPS 202: SHAKE128, which the accumulated vector is made with.

const RATE: usize = 168;

#[derive(Default)]
pub struct Shake128 {
    lanes: [u64; 25],
    position: usize,
    squeezing: bool,
}

impl Shake128 {
    pub fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.absorb(*byte);
            self.position += 1;
            if self.position == RATE {
                self.permute();
            }
        }
    }

    pub fn read(&mut self, length: usize) -> Vec<u8> {
        if !self.squeezing {
            self.absorb(0x1f);
            self.position = RATE - 1;
            self.absorb(0x80);
            self.permute();
            self.squeezing = true;
        }
        (0..length)
            .map(|_| {
                if self.position == RATE {
                    self.permute();
                }
                self.position += 1;
                self.lanes[(self.position - 1) / 8].to_le_bytes()[(self.position - 1) % 8]
            })
            .collect()
    }

    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        self.read(N).try_into().unwrap()
    }

    fn absorb(&mut self, byte: u8) {
        self.lanes[self.position / 8] ^= u64::from(byte) << (8 * (self.position % 8));
    }

    /// Keccak-f[1600]; lane (x, y) is `lanes[x + 5 * y]`.
    fn permute(&mut self) {
        self.position = 0;
        let mut register = 1u8;
        for _ in 0..24 {
            let lanes = &mut self.lanes;
            let parity: [u64; 5] = std::array::from_fn(|x| (0..5).fold(0, |sum, y| sum ^ lanes[x + 5 * y]));
            for (index, lane) in lanes.iter_mut().enumerate() {
                *lane ^= parity[(index + 4) % 5] ^ parity[(index % 5 + 1) % 5].rotate_left(1);
            }
            let (mut x, mut y, mut carried) = (1, 0, lanes[1]);
            for step in 1..=24 {
                (x, y) = (y, (2 * x + 3 * y) % 5);
                carried = std::mem::replace(&mut lanes[x + 5 * y], carried.rotate_left(step * (step + 1) / 2));
            }
            for row in lanes.chunks_mut(5) {
                let before: [u64; 5] = std::array::from_fn(|x| row[x]);
                for x in 0..5 {
                    row[x] ^= !before[(x + 1) % 5] & before[(x + 2) % 5];
                }
            }
            for bit in 0..7 {
                lanes[0] ^= u64::from(register & 1) << ((1 << bit) - 1);
                register = (register << 1) ^ ((register >> 7) * 0x71);
            }
        }
    }
}
