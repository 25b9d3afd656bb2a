import EMSCore

/// A property that must hold for every input; where it does not, libFuzzer keeps the input.
func expect(_ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String) {
    if !condition() { fatalError(message()) }
}

/// What `body` returns; `nil` where it refuses its input, as it may, with an error of the catalogue that is not about the program itself.
func accepted<Value>(_ body: () throws -> Value) -> Value? {
    do {
        return try body()
    } catch let error as EMSError {
        expect(error.code != .internal, "refused as a fault of the program: \(error)")
        // What is told to a client or a log is written as JSON and as a line of text.
        _ = error.fields.map { $0.json() }
        _ = error.description
        return nil
    } catch {
        fatalError("refused with an error that is none of the catalogue: \(error)")
    }
}

/// Two texts that are the same byte by byte: `==` of texts takes different spellings of a letter for one.
func areIdentical(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
