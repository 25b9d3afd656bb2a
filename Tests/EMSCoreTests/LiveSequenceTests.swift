@testable import EMSCore
import Testing

@Suite("The order of live notifications")
struct LiveSequenceTests {
    @Test("Announcements in order are told as they come")
    func inOrder() {
        var sequence = LiveSequence(after: 4)
        #expect(heard(&sequence, [5, 6]) == "5 6")
        #expect(heard(&sequence, [7]) == "7")
        #expect(sequence.position == 7)
    }

    @Test("Within one batch the order does not matter, and repeats are left out")
    func shuffled() {
        var sequence = LiveSequence(after: 0)
        #expect(heard(&sequence, [3, 1, 2, 1]) == "1 2 3")
        #expect(heard(&sequence, [2, 3]) == "")
    }

    @Test("What comes after a gap waits until the store was read, and is not told twice then")
    func gap() {
        var sequence = LiveSequence(after: 0)
        #expect(heard(&sequence, [1, 3]) == "1 gap")
        #expect(sequence.position == 1)
        sequence.read(through: 3)
        #expect(sequence.position == 3)
        #expect(heard(&sequence, [3, 4]) == "4")
    }

    @Test("A read that finds nothing changes nothing")
    func nothing() {
        var sequence = LiveSequence(after: 2)
        sequence.read(through: 0)
        #expect(sequence.position == 2)
        #expect(heard(&sequence, [4]) == "gap")
        #expect(heard(&sequence, [3]) == "3")
    }

    private func heard(_ sequence: inout LiveSequence, _ positions: [Int64]) -> String {
        let (told, hasGap) = sequence.heard(positions.map(notification))
        return (told.map { "\($0.position)" } + (hasGap ? ["gap"] : [])).joined(separator: " ")
    }

    private func notification(_ position: Int64) -> RecordedNotification {
        RecordedNotification(
            position: position, notification: Notification(kind: .message, actor: "x", timestamp: .now()), isForEveryone: true)
    }
}
