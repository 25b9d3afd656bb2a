import EMSCore
import Testing

/// What the forms of the output have in common, whatever is shown.
enum OutputForms {
    /// Checks a command that shows one thing.
    /// - Parameters:
    ///   - fields: the names that JSON and YAML have, in this order.
    ///   - columns: names that a table and csv have, besides others.
    ///   - id: what `-o id` prints.
    static func expectOne(_ workspace: Workspace, _ command: [String], fields: [String], columns: [String], id: String) async throws {
        let json = try await shown(workspace, command, "json").jsonDocument()
        #expect(json.memberNames == fields)
        #expect(try await shown(workspace, command, "jsonl").jsonLines() == [json])
        let yaml = try await shown(workspace, command, "yaml").outputLines
        for field in fields { #expect(yaml.contains { $0.hasPrefix("\(field):") }, "\(field) is not in the YAML") }
        let csv = try await shown(workspace, command, "csv").outputLines
        #expect(csv.count == 2)
        expect(columns, in: csv.first?.split(separator: ",").map(String.init))
        #expect(try await shown(workspace, command + ["--no-header"], "csv").outputLines == Array(csv.dropFirst()))
        #expect(try await shown(workspace, command, "id").output == id + "\n")
        let table = try await shown(workspace, command, "table")
        expect(columns, in: table.outputLines.compactMap { $0.split(separator: " ").first.map(String.init) })
        #expect(table.output.contains(id))
        #expect(try await shown(workspace, command).output == table.output)
    }

    /// Checks a command that shows several things.
    /// - Parameter ids: what `-o id` prints, in the order of the list.
    static func expectList(_ workspace: Workspace, _ command: [String], fields: [String], columns: [String], ids: [String]) async throws {
        let json = try await shown(workspace, command, "json").jsonDocument()
        #expect(json.arrayItems.map(\.memberNames) == ids.map { _ in fields })
        #expect(try await shown(workspace, command, "jsonl").jsonLines() == json.arrayItems)
        let yaml = try await shown(workspace, command, "yaml").outputLines
        #expect(yaml.filter { $0.hasPrefix("- ") }.count == ids.count)
        let csv = try await shown(workspace, command, "csv").outputLines
        #expect(csv.count == ids.count + 1)
        expect(columns, in: csv.first?.split(separator: ",").map(String.init))
        #expect(try await shown(workspace, command + ["--no-header"], "csv").outputLines == Array(csv.dropFirst()))
        #expect(try await shown(workspace, command, "id").outputLines == ids)
        let table = try await shown(workspace, command, "table").outputLines
        #expect(table.count == ids.count + 1)
        #expect(zip(table.dropFirst(), ids).allSatisfy { $0.contains($1) })
        #expect(try await shown(workspace, command + ["--no-header"], "table").outputLines == Array(table.dropFirst()))
        #expect(try await shown(workspace, command).outputLines == table)
        for form in ["table", "csv"] {
            let chosen = try await shown(workspace, command + ["--columns", columns.prefix(2).joined(separator: ",")], form).outputLines
            let header = chosen.first?.lowercased().split { $0 == " " || $0 == "," }.map(String.init)
            #expect(header == Array(columns.prefix(2)))
        }
        try await workspace.runEMS(command + ["--columns", "no_such_column"]).expectFailure(64, saying: "no_such_column")
    }

    /// Checks a list with nothing in it.
    static func expectNothing(_ workspace: Workspace, _ command: [String]) async throws {
        #expect(try await workspace.outputEMS(command + ["-o", "json"]).jsonDocument() == .array([]))
        #expect(try await workspace.outputEMS(command + ["-o", "jsonl"]).output.isEmpty)
        #expect(try await workspace.outputEMS(command + ["-o", "id"]).output.isEmpty)
        #expect(try await workspace.outputEMS(command + ["-o", "csv"]).outputLines.count == 1)
        #expect(try await workspace.outputEMS(command + ["-o", "csv", "--no-header"]).output.isEmpty)
    }

    private static func shown(_ workspace: Workspace, _ command: [String], _ form: String? = nil) async throws -> CommandResult {
        let result = try await workspace.outputEMS(form.map { command + ["-o", $0] } ?? command)
        #expect(result.errors.isEmpty, "\(result.errors)")
        return result
    }

    private static func expect(_ columns: [String], in header: [String]?) {
        for column in columns { #expect(header?.contains(column) == true, "the column \(column) is missing") }
    }
}
