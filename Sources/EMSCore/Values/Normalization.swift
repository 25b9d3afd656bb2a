import Foundation

extension String {
    /// The text in Unicode normalization form C (UAX #15): the same letters are the same bytes then, however they were typed.
    public var normalized: String {
        utf8.allSatisfy { $0 < 0x80 } ? self : precomposedStringWithCanonicalMapping
    }
}
