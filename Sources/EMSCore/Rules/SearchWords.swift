import Foundation

/// The words of a text as they are searched for: in lower case and without accents, so that `Fête` and `fete` are one.
public enum SearchWords {
    /// Words are cut here: what is longer is found by its beginning.
    public static let lengthLimit = 64

    public static func words(in text: String) -> Set<String> {
        Set(list(of: text))
    }

    /// In the order of the text, each as often as it is there. A word is a run of letters, digits and the marks on them, scalar by scalar:
    /// a quotation mark that joins a letter to one character is no part of it.
    public static func list(of text: String) -> [String] {
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            return text.lowercased().utf8.split { !isWordByte($0) }.map { String(decoding: $0.prefix(lengthLimit), as: UTF8.self) }
        }
        let scalars = text.decomposedStringWithCanonicalMapping.unicodeScalars.filter { $0.properties.generalCategory != .nonspacingMark }
        let folded = String(String.UnicodeScalarView(scalars)).lowercased().unicodeScalars
        return folded.split { !isWordScalar($0) }.compactMap { word in
            // A mark alone is no word.
            guard word.contains(where: { isLetterOrDigit($0) }) else { return nil }
            return String(String.UnicodeScalarView(word.prefix(lengthLimit)))
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }

    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        isLetterOrDigit(scalar) || scalar.properties.generalCategory == .spacingMark || scalar.properties.generalCategory == .nonspacingMark
    }

    private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber, .letterNumber,
            .otherNumber:
            true
        default: false
        }
    }
}
