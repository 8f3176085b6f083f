namespace BpfRemote.Simulation;

/// <summary>Writers that change maps step by step, each step a function of the seed and its number. Safe for concurrent use.</summary>
/// <param name="seed">Where the writers' random numbers come from.</param>
/// <param name="writers">What happens in a step, in this order.</param>
public sealed class Churn(int seed, params IReadOnlyList<Action<Random>> writers)
{
    private readonly Lock _lock = new();
    private readonly Random _random = new(seed);

    /// <summary>A writer that each time picks keys of a map at random and deletes those that are there and inserts the others,
    /// with a value of random bytes.</summary>
    public static Action<Random> ComingAndGoing(SimulatedMap map, IReadOnlyList<byte[]> keys, int keysPerStep) => random =>
    {
        byte[] value = new byte[map.Layout.ValueStride];
        for (int change = 0; change < keysPerStep; change++)
        {
            byte[] key = keys[random.Next(keys.Count)];
            if (map.Delete(key) != Libbpf.Errno.None)
            {
                random.NextBytes(value);
                map.Update(key, value);
            }
        }
    };

    /// <summary>Runs every writer once.</summary>
    public void Step()
    {
        lock (_lock)
        {
            foreach (Action<Random> writer in writers)
            {
                writer(_random);
            }
        }
    }

    /// <summary>Steps in the background, once each <paramref name="period"/>, until the timer is disposed of.</summary>
    public ITimer Start(TimeProvider time, TimeSpan period) => time.CreateTimer(_ => Step(), state: null, period, period);
}
