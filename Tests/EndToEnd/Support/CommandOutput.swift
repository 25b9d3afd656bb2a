import EMSCore
import Testing

/// Reading what a command printed.
extension CommandResult {
    var outputLines: [String] { output.split(separator: "\n").map(String.init) }
    var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

    /// stdout as one JSON document.
    func jsonDocument() throws -> JSONValue { try JSONParser.parse(Array(output.utf8)) }

    /// stdout as JSON, a document a line.
    func jsonLines() throws -> [JSONValue] { try outputLines.map { try JSONParser.parse(Array($0.utf8)) } }

    /// What every failure looks like: its status, nothing on stdout, words on stderr.
    func expectFailure(_ status: Int32, saying words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(self.status == status, "\(errors)", sourceLocation: sourceLocation)
        #expect(!wasKilled, "\(errors)", sourceLocation: sourceLocation)
        #expect(output.isEmpty, "\(output)", sourceLocation: sourceLocation)
        #expect(!errors.isEmpty, sourceLocation: sourceLocation)
        for word in words {
            #expect(errors.contains(word), "\(errors)", sourceLocation: sourceLocation)
        }
    }

    /// What a success that shows no data looks like: nothing on stdout.
    func expectDone(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(status == 0, "\(errors)", sourceLocation: sourceLocation)
        #expect(output.isEmpty, "\(output)", sourceLocation: sourceLocation)
    }
}

extension JSONValue {
    var arrayItems: [JSONValue] { if case .array(let items) = self { items } else { [] } }
    var memberNames: [String] { if case .object(let members) = self { members.map(\.name) } else { [] } }
    func strings(_ name: String) -> [String] { arrayItems.compactMap { $0[name]?.string } }
}

extension Workspace {
    /// Runs `ems` with arguments that are data.
    func runEMS(_ arguments: [String], input: String = "", environment extra: [String: String] = [:]) async throws -> CommandResult {
        try await run(EMSBinary.path, arguments, input: input, environment: extra)
    }

    /// Runs `ems` with arguments that are data, and expects success.
    func outputEMS(_ arguments: [String], input: String = "") async throws -> CommandResult {
        let result = try await runEMS(arguments, input: input)
        guard result.status == 0 else { throw CommandFailed(arguments: arguments, result: result) }
        return result
    }

    /// Runs a line in bash, in which `ems` is the binary under test.
    func bash(_ line: String) async throws -> CommandResult {
        try await run("/usr/bin/env", ["bash", "-c", "ems() { '\(EMSBinary.path)' \"$@\"; }; " + line])
    }

    /// An id that nothing has.
    static let unknownID = "00000000000000000000000000000000"
}
