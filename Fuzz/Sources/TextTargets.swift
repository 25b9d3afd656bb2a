@testable import EMSCore
@testable import EMSMongoDB

/// Texts: trimming twice is trimming once, a canonical tag is canonical, what is printable holds no control character, and the words of a
/// search are short.
@Sendable func fuzzText(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    let trimmed = TextRules.trimmed(text)
    expect(areIdentical(TextRules.trimmed(trimmed), trimmed), "white space is left at an end")
    let tag = EventRules.canonicalTag(text)
    expect(areIdentical(EventRules.canonicalTag(tag), tag), "the canonical tag \(tag) is not canonical")
    for shown in [Printable.stripped(text), Printable.quoted(text)] {
        expect(!shown.unicodeScalars.contains(where: Printable.isControl), "a control character is shown")
    }
    if WebURL.isValid(text) {
        let scheme = text.utf8.prefix { $0 != UInt8(ascii: ":") }
        expect(["http", "https"].contains(String(Substring(scheme)).lowercased()), "\(text) is taken for a web address")
        expect(!text.unicodeScalars.contains { $0.properties.isWhitespace }, "a web address holds white space")
    }
    let words = SearchWords.list(of: text)
    expect(words.allSatisfy { $0.count <= SearchWords.lengthLimit && !$0.isEmpty }, "a word is too long or empty")
    if bytes.count <= 200 { _ = Suggestion.nearest(to: text, among: ["database", "events", "Ünïcödé"]) }
    var faults = FieldFaults()
    UserRules.check(email: text, &faults)
    if (try? faults.finish()) != nil { expect(text.utf8.count { $0 == UInt8(ascii: "@") } == 1, "\(text) is taken for an email address") }
    UserRules.check(username: text, &faults)
    UserRules.check(password: text, &faults)
    _ = UserRules.caseFolded(text)
    _ = accepted { try faults.finish() }
}
