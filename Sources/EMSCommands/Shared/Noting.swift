import EMSCore
import EMSRuntime

extension Runtime {
    /// Records an action of a command that is not a change of a single object. The action is complete: a failure to record it is a warning.
    func noteOrTell(
        _ action: Change.Action, _ kind: Subject.Kind, _ id: String, by principal: Principal, _ details: (inout JSONWriter) -> Void
    ) async {
        do {
            try await journal.note(action, Subject(kind, id), by: principal, details)
        } catch {
            StandardError.write("ems: done, but not noted in the journal: \(EMSError(error))")
        }
    }
}
