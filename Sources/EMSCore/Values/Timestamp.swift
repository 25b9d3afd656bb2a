#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A moment in UTC, in whole milliseconds since 1970-01-01T00:00:00Z; leap seconds are not counted (POSIX time).
public struct Timestamp: Hashable, Comparable, Sendable {
    public let milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The moment the system clock shows.
    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// Whole seconds since 1970, rounded down: what a JWT's `NumericDate` holds.
    public var secondsSinceEpoch: Int64 {
        milliseconds.flooredDivision(by: 1000).quotient
    }

    /// The moment so many seconds later, or earlier if they are negative, within ``earliest`` and ``latest``.
    public func adding(seconds: Int64) -> Timestamp {
        let (span, isTooLong) = seconds.multipliedReportingOverflow(by: 1000)
        return isTooLong ? (seconds < 0 ? .earliest : .latest) : adding(milliseconds: span)
    }

    /// The moment so many milliseconds later, or earlier if they are negative, within ``earliest`` and ``latest``.
    public func adding(milliseconds span: Int64) -> Timestamp {
        let (sum, isBeyond) = milliseconds.addingReportingOverflow(span)
        if isBeyond { return span < 0 ? .earliest : .latest }
        return min(max(Timestamp(milliseconds: sum), .earliest), .latest)
    }

    /// A moment that a store or a server gave.
    /// - Returns: `nil` outside the years 0001 to 9999.
    public init?(stored milliseconds: Int64) {
        guard (Self.earliest.milliseconds...Self.latest.milliseconds).contains(milliseconds) else { return nil }
        self.init(milliseconds: milliseconds)
    }

    /// The first moment of the year 0001; earlier ones are refused on input.
    public static let earliest = Timestamp(milliseconds: -62_135_596_800_000)
    /// The last moment that four digits of year can write; later ones are refused on input.
    public static let latest = Timestamp(milliseconds: 253_402_300_799_999)
}

// MARK: ISO 8601

extension Timestamp: CustomStringConvertible {
    /// ISO 8601 with milliseconds and `Z`: `2026-03-01T09:00:00.000Z`.
    public var description: String {
        let (days, millisecondOfDay) = milliseconds.flooredDivision(by: 86_400_000)
        let date = CivilDate(daysSinceEpoch: days)
        return String(unsafeUninitializedCapacity: 24) { buffer in
            func write(_ value: Int64, digits: Int, at offset: Int) {
                var rest = value
                for index in stride(from: offset + digits - 1, through: offset, by: -1) {
                    buffer[index] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
            }
            write(max(0, date.year), digits: 4, at: 0)
            write(date.month, digits: 2, at: 5)
            write(date.day, digits: 2, at: 8)
            write(millisecondOfDay / 3_600_000, digits: 2, at: 11)
            write(millisecondOfDay / 60_000 % 60, digits: 2, at: 14)
            write(millisecondOfDay / 1000 % 60, digits: 2, at: 17)
            write(millisecondOfDay % 1000, digits: 3, at: 20)
            for (index, mark) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (19, "."), (23, "Z")] as [(Int, Unicode.Scalar)] {
                buffer[index] = UInt8(ascii: mark)
            }
            return 24
        }
    }

    /// Reads ISO 8601 / RFC 3339: `2026-03-01T09:00:00Z`, with or without seconds and fraction, with `Z` or an offset such as `+02:00`;
    /// a space may stand for the `T`. Without a zone, UTC is meant; a date alone means its first moment.
    /// Digits of the fraction after the third are dropped. Years run from 0001 to 9999. Anything else is `nil`.
    public init?(_ text: some StringProtocol) {
        var reader = DigitReader(text.utf8)
        guard let year = reader.digits(4), year >= 1, reader.skip("-"), let month = reader.digits(2), (1...12).contains(month),
            reader.skip("-"), let day = reader.digits(2), (1...CivilDate.daysIn(month: month, year: year)).contains(day)
        else { return nil }
        var milliseconds = CivilDate(year: year, month: month, day: day).daysSinceEpoch * 86_400_000
        if !reader.isAtEnd {
            guard reader.skip("T") || reader.skip("t") || reader.skip(" "),
                let hour = reader.digits(2), hour < 24, reader.skip(":"), let minute = reader.digits(2), minute < 60
            else { return nil }
            milliseconds += hour * 3_600_000 + minute * 60_000
            if reader.skip(":") {
                guard let second = reader.digits(2), second < 60 else { return nil }
                milliseconds += second * 1000
                if reader.skip(".") || reader.skip(",") {
                    guard let fraction = reader.fraction() else { return nil }
                    milliseconds += fraction
                }
            }
            if reader.skip("Z") || reader.skip("z") || reader.isAtEnd {
                // UTC
            } else {
                let sign: Int64
                if reader.skip("+") { sign = -1 } else if reader.skip("-") { sign = 1 } else { return nil }
                guard let hours = reader.digits(2), hours < 24 else { return nil }
                _ = reader.skip(":")
                guard let minutes = reader.digits(2), minutes < 60 else { return nil }
                milliseconds += sign * (hours * 3_600_000 + minutes * 60_000)
            }
        }
        guard reader.isAtEnd, (Timestamp.earliest.milliseconds...Timestamp.latest.milliseconds).contains(milliseconds) else { return nil }
        self.init(milliseconds: milliseconds)
    }
}

/// A day of the proleptic Gregorian calendar. The conversions are `days_from_civil` and `civil_from_days` of
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013).
public struct CivilDate: Sendable {
    public let year: Int64
    public let month: Int64
    public let day: Int64

    public init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    public init(daysSinceEpoch: Int64) {
        let (era, dayOfEra) = (daysSinceEpoch + 719_468).flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    public var daysSinceEpoch: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shiftedYear.flooredDivision(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    public static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

private struct DigitReader<Bytes: Collection<UInt8>> {
    private var rest: Bytes.SubSequence

    init(_ bytes: Bytes) {
        rest = bytes[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ mark: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: mark) else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func digits(_ count: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<count {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// One or more digits after the decimal mark, as milliseconds.
    mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while let digit = digit() {
            if count < 3 { value = value * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in min(count, 3)..<3 { value *= 10 }
        return value
    }

    private mutating func digit() -> Int64? {
        guard let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        rest = rest.dropFirst()
        return Int64(byte - UInt8(ascii: "0"))
    }
}

extension Int64 {
    /// Division that rounds towards negative infinity, so that moments before 1970 fall on the right day.
    func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
