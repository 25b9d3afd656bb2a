import Foundation

extension String {
    /// The text in Unicode normalization form C (UAX #15): the same letters are the same bytes then, however they were typed.
    public var normalized: String {
        utf8.allSatisfy { $0 < 0x80 } ? self : precomposedStringWithCanonicalMapping
    }

    /// How many combining marks may follow each other: more than any language writes (UAX #15, section 13, Stream-Safe Text Format).
    public static let markLimit = 30

    /// Whether no letter has more than ``markLimit`` combining marks behind it. Comparing, hashing and normalizing a text takes a time that
    /// grows with the square of their number: text from outside is looked at before any of that.
    public var isStreamSafe: Bool {
        if utf8.allSatisfy({ $0 < 0x80 }) { return true }
        var marks = 0
        return unicodeScalars.allSatisfy { scalar in
            marks = scalar.properties.canonicalCombiningClass == .notReordered ? 0 : marks + 1
            return marks <= Self.markLimit
        }
    }
}
