import Testing

@testable import EMSCore

@Suite("Suggestions for misspelt words")
struct SuggestionTests {
    @Test(
        "The distance counts insertions, deletions, substitutions and swaps",
        arguments: [
            ("", "", 0), ("a", "", 1), ("", "abc", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "ab", 1), ("abc", "xabc", 1),
            ("abc", "acb", 1), ("kitten", "sitting", 3), ("ca", "abc", 3), ("ä", "a", 1),
        ])
    func distance(left: String, right: String, distance: Int) {
        #expect(Suggestion.distance(left, right) == distance)
        #expect(Suggestion.distance(right, left) == distance)
    }

    @Test(
        "A slip of the fingers finds its word",
        arguments: [
            ("prot", "port"), ("hots", "host"), ("Port", "port"), ("secret_kye", "secret_key"), ("secretkey", "secret_key"),
            ("loglevel", "log_level"), ("ho", "host"),
        ])
    func slips(word: String, meant: String) {
        #expect(Suggestion.nearest(to: word, among: ["port", "host", "secret_key", "log_level"]) == meant)
    }

    @Test("What is near to nothing has no suggestion", arguments: ["xyzzy", "database", "completely_different"])
    func noSuggestion(word: String) {
        #expect(Suggestion.nearest(to: word, among: ["port", "host", "secret_key", "log_level"]) == nil)
    }

    @Test("Nothing is suggested where there are no words")
    func noWords() {
        #expect(Suggestion.nearest(to: "port", among: [String]()) == nil)
    }

    @Test("Of words equally near, the first by the alphabet is suggested, whatever their order")
    func ties() {
        #expect(Suggestion.nearest(to: "cat", among: ["hat", "bat", "rat"]) == "bat")
        #expect(Suggestion.nearest(to: "cat", among: ["rat", "bat", "hat"]) == "bat")
    }

    @Test("The beginning of a word finds it, though a shorter word is nearer by distance")
    func prefixes() {
        #expect(Suggestion.nearest(to: "subs", among: ["subscribe", "unset"]) == "subscribe")
    }
}
