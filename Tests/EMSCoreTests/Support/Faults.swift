@testable import EMSCore

/// The faults by field that a call throws; none where it throws nothing.
func faults(_ body: () throws -> Void) throws -> [FieldError] {
    do {
        try body()
        return []
    } catch let error as EMSError where error.code == .invalid {
        return error.fields
    }
}

extension FieldError {
    /// The place in one word: `body.title`; of a parameter, its name.
    var place: String { parameter?.rawValue ?? location.joined(separator: ".") }
}
