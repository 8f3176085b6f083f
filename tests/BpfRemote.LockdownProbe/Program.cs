using BpfRemote.Libbpf;
using BpfRemote.Libbpf.Lockdown;
using BpfRemote.LockdownProbe;

// lockdown-probe DUTIES|unlocked [PIN NEW-PIN]: locks itself down for these duties, or does not, makes every attack on a thread that
// was there before, on the main thread and on one that starts later, and prints "ATTACK: ERRNO" (0 for success). With a pin of a map
// it reads the map as well, which is what the duties are for.
List<Attack> attacks = [.. Attacks.All];
KernelMapSource kernel = KernelMapSource.Create();
using IBpfMap? map = args is [_, { } pin, _] ? kernel.OpenPinned(pin) : null;
if (map is not null)
{
    attacks.Add(RepinTrick.On(map.Info.Id, args[2]));
}

using ManualResetEventSlim locked = new();
Thread before = new(() =>
{
    locked.Wait();
    Report("before");
});
before.Start();
if (args[0] != "unlocked")
{
    ProcessLockdown.Apply(Enum.Parse<Duties>(args[0]));
}

locked.Set();
before.Join();
Report("main");
Thread after = new(() => Report("after"));
after.Start();
after.Join();

// The runtime goes on: threads of the pool, collections, and the duty itself.
await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => GC.Collect(0))));
if (map is not null)
{
    Console.WriteLine($"read: {(int)map.LookupElement(new byte[map.Info.KeySize], new byte[map.Layout.ValueStride])}");
}

void Report(string thread)
{
    foreach (Attack attack in attacks)
    {
        Console.WriteLine($"{thread} {attack.Name}: {attack.Run()}");
    }
}
