import Foundation

/// The words of a text as they are searched for: in lower case and without accents, so that `Fête` and `fete` are one.
enum SearchWords {
    /// Words are cut here: what is longer is found by its beginning.
    static let lengthLimit = 64

    static func words(in text: String) -> Set<String> {
        Set(list(of: text))
    }

    /// In the order of the text, each as often as it stands there.
    static func list(of text: String) -> [String] {
        folded(text).split { !$0.isLetter && !$0.isNumber }.map { String($0.prefix(lengthLimit)) }
    }

    private static func folded(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
        let scalars = text.decomposedStringWithCanonicalMapping.unicodeScalars.filter { $0.properties.generalCategory != .nonspacingMark }
        return String(String.UnicodeScalarView(scalars)).lowercased()
    }
}
