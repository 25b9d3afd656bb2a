import Foundation
import Testing

@testable import EMSCore

@Suite("Coordinates")
struct CoordinatesTests {
    struct Distance: Sendable {
        let from: Coordinates
        let to: Coordinates
        let kilometres: Double
    }

    static let london = Coordinates(latitude: 51.5007, longitude: -0.1246)
    static let newYork = Coordinates(latitude: 40.6892, longitude: -74.0445)

    @Test(
        "Distances are those of the great circle",
        arguments: [
            Distance(from: london, to: newYork, kilometres: 5574.85),
            Distance(
                from: Coordinates(latitude: 52.52, longitude: 13.405), to: Coordinates(latitude: 48.8566, longitude: 2.3522),
                kilometres: 877.46),
            Distance(
                from: Coordinates(latitude: -33.8688, longitude: 151.2093), to: Coordinates(latitude: -36.8485, longitude: 174.7633),
                kilometres: 2155.90),
            Distance(from: Coordinates(latitude: 0, longitude: 0), to: Coordinates(latitude: 90, longitude: 77), kilometres: 10_007.56),
            Distance(from: Coordinates(latitude: 0, longitude: 0), to: Coordinates(latitude: 0, longitude: 180), kilometres: 20_015.11),
            Distance(from: Coordinates(latitude: 90, longitude: 0), to: Coordinates(latitude: -90, longitude: 120), kilometres: 20_015.11),
            Distance(from: Coordinates(latitude: 0, longitude: 179.5), to: Coordinates(latitude: 0, longitude: -179.5), kilometres: 111.20),
        ])
    func distances(_ known: Distance) {
        #expect(abs(known.from.distance(to: known.to) - known.kilometres) < 0.01)
        #expect(abs(known.to.distance(to: known.from) - known.kilometres) < 0.01)
    }

    @Test("A place is at no distance from itself")
    func nowhere() {
        #expect(Self.london.distance(to: Self.london) == 0)
    }

    @Test(
        "Everything within the radius lies within the bounds",
        arguments: [
            london, newYork, Coordinates(latitude: 0, longitude: 0), Coordinates(latitude: -17.7, longitude: 178.8),
            Coordinates(latitude: 60, longitude: -179.9), Coordinates(latitude: 89.5, longitude: 10),
            Coordinates(latitude: -90, longitude: 0), Coordinates(latitude: 78.2, longitude: 15.6),
        ], [0.5, 25, 400, 3000, 12_000, 20_015])
    func bounds(center: Coordinates, radius: Double) {
        let bounds = center.bounds(radius: radius)
        for bearing in stride(from: 0.0, to: 360, by: 7.5) {
            let place = Self.destination(from: center, kilometres: radius * 0.999, bearing: bearing)
            #expect(bounds.latitudes.contains(place.latitude), "\(place) at \(bearing)°")
            #expect(bounds.longitudes.contains(place.longitude), "\(place) at \(bearing)°")
        }
    }

    @Test("The bounds are tight where neither a pole nor the antimeridian is near")
    func tightBounds() {
        let bounds = Self.london.bounds(radius: 100)
        #expect(abs(bounds.latitudes.upperBound - bounds.latitudes.lowerBound - 1.799) < 0.01)
        #expect(abs(bounds.longitudes.upperBound - bounds.longitudes.lowerBound - 2.889) < 0.02)
    }

    @Test(
        "Longitudes span the whole circle where the area holds a pole or crosses the antimeridian",
        arguments: [
            (Coordinates(latitude: 89.9, longitude: 0), 50), (Coordinates(latitude: -89.9, longitude: 45), 50),
            (Coordinates(latitude: 10, longitude: 179.99), 10), (Coordinates(latitude: 10, longitude: -179.99), 10),
        ] as [(Coordinates, Double)])
    func wholeCircle(center: Coordinates, radius: Double) {
        #expect(center.bounds(radius: radius).longitudes == -180...180)
    }

    @Test("Latitudes end at the poles")
    func poles() {
        #expect(Coordinates(latitude: 89.9, longitude: 0).bounds(radius: 50).latitudes.upperBound == 90)
        #expect(Coordinates(latitude: -89.9, longitude: 0).bounds(radius: 50).latitudes.lowerBound == -90)
    }

    /// Where one arrives along a great circle.
    private static func destination(from start: Coordinates, kilometres: Double, bearing: Double) -> Coordinates {
        let angle = kilometres / Coordinates.earthRadius
        let (phi, lambda, theta) = (start.latitude * .pi / 180, start.longitude * .pi / 180, bearing * .pi / 180)
        let sine = sin(phi) * cos(angle) + cos(phi) * sin(angle) * cos(theta)
        let latitude = asin(max(-1, min(1, sine)))
        let longitude = lambda + atan2(sin(theta) * sin(angle) * cos(phi), cos(angle) - sin(phi) * sin(latitude))
        let degrees = longitude * 180 / .pi
        let wrapped = degrees > 180 ? degrees - 360 : degrees < -180 ? degrees + 360 : degrees
        return Coordinates(latitude: latitude * 180 / .pi, longitude: wrapped)
    }
}
