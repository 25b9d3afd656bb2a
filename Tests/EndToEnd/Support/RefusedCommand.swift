import Testing

/// A command that must not be carried out, with the status it ends with.
struct RefusedCommand: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let status: Int32

    init(_ arguments: [String], _ status: Int32) {
        self.arguments = arguments
        self.status = status
    }

    var testDescription: String { "\(arguments.joined(separator: " ")): \(status)" }
}
