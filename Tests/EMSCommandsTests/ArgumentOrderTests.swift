import Testing

@testable import EMSCommands

@Suite("The order of arguments")
struct ArgumentOrderTests {
    @Test(
        "Global options before or between the verbs are moved behind them; all others stay",
        arguments: [
            (["-o", "json", "event", "list"], ["event", "list", "-o", "json"]),
            (["event", "-o", "json", "list"], ["event", "list", "-o", "json"]),
            (["--output=csv", "event", "list", "--all"], ["event", "list", "--output=csv", "--all"]),
            (["-ojson", "event", "list"], ["event", "list", "-ojson"]),
            (["--data-dir", "d", "--no-color", "user", "show", "ada"], ["user", "show", "--data-dir", "d", "--no-color", "ada"]),
            (["event", "search", "-o", "json", "list"], ["event", "search", "-o", "json", "list"]),
            (["--version"], ["--version"]),
            (["event", "--help"], ["event", "--help"]),
            (["evnt", "list"], ["evnt", "list"]),
            (["-o"], ["-o"]),
            ([], []),
        ])
    func order(arguments: [String], expected: [String]) {
        #expect(ArgumentOrder.normalized(arguments) == expected)
    }
}
