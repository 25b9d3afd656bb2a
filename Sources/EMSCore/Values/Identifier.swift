import Crypto
import Synchronization

/// A 128-bit, time-ordered identifier: UUID version 7 (RFC 9562, section 5.7), written as 32 lower-case hex characters.
///
/// The type parameter names what is identified, so that a user's id cannot be passed where an event's belongs.
/// Identifiers made by one process are strictly increasing; across processes they are ordered by the millisecond.
public struct ID<Subject>: Hashable, Comparable, Sendable {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a new identifier for this moment.
    public init() {
        (high, low) = UUIDv7.next(milliseconds: UInt64(max(0, Timestamp.now().milliseconds)))
    }

    /// The identifier of what has a name of its own: always the same for the same name (RFC 9562, section 5.8, with SHA-256).
    public init(named name: String) {
        let words = SHA256.hash(data: Array(name.utf8)).withUnsafeBytes { digest in
            [0, 8].map { UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: $0, as: UInt64.self)) }
        }
        self.init(high: (words[0] & ~0xF000) | 0x8000, low: (words[1] & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000)
    }

    /// Reads 32 hex characters, or the 36 of a hyphenated UUID, in either case. Anything else is `nil`.
    public init?(_ text: some StringProtocol) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var digits = 0
        var hyphens = 0
        for byte in text.utf8 {
            let nibble: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): nibble = byte - UInt8(ascii: "A") + 10
            case UInt8(ascii: "-") where hyphens < 4 && digits == 8 + 4 * hyphens:
                hyphens += 1
                continue
            default: return nil
            }
            high = (high << 4) | (low >> 60)
            low = (low << 4) | UInt64(nibble)
            digits += 1
            if digits > 32 { return nil }
        }
        guard digits == 32, hyphens == 0 || hyphens == 4 else { return nil }
        self.init(high: high, low: low)
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    /// The 128 bits, the most significant byte first.
    var bytes: [UInt8] {
        (0..<16).map { index in UInt8(truncatingIfNeeded: (index < 8 ? high : low) >> UInt64(56 - 8 * (index & 7))) }
    }

    /// The same 128 bits, as the identifier of something else: a notification carries the id of its change.
    public func retyped<Other>(as: Other.Type = Other.self) -> ID<Other> {
        ID<Other>(high: high, low: low)
    }
}

extension ID: CustomStringConvertible {
    /// 32 lower-case hex characters.
    public var description: String {
        String(unsafeUninitializedCapacity: 32) { buffer in
            for index in 0..<16 {
                let word = index < 8 ? high : low
                let byte = UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * (index & 7)))
                buffer[2 * index] = Self.digit(byte >> 4)
                buffer[2 * index + 1] = Self.digit(byte & 15)
            }
            return 32
        }
    }

    private static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
    }
}

/// The generator behind ``ID``: 48 bits of Unix milliseconds, a 12-bit counter (RFC 9562, section 6.2, method 1), 62 random bits.
private enum UUIDv7 {
    private struct State {
        var milliseconds: UInt64 = 0
        var counter: UInt64 = 0
    }

    private static let state = Mutex(State())

    static func next(milliseconds now: UInt64) -> (UInt64, UInt64) {
        let (milliseconds, counter) = state.withLock { state in
            if now > state.milliseconds {
                state.milliseconds = now
                // The upper half stays free, so that one millisecond has room for at least 2,048 more.
                state.counter = UInt64.random(in: 0..<0x800)
            } else {
                state.counter += 1
                if state.counter > 0xFFF {
                    state.milliseconds += 1
                    state.counter = 0
                }
            }
            return (state.milliseconds, state.counter)
        }
        let high = (milliseconds << 16) | 0x7000 | counter
        let low = (UInt64.random(in: .min ... .max) & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        return (high, low)
    }
}
