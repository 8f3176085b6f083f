using System.CommandLine;
using System.Globalization;
using BpfRemote.Agent.Maps;
using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Access.Policy;

/// <summary><c>bpfremote-agent policy check|explain</c>: what is wrong with a policy file, and what one lets somebody do.</summary>
internal static class PolicyCommand
{
    private const int Failed = 1;
    private const int Invalid = 2;

    /// <summary>Makes the command.</summary>
    public static Command Create() => new("policy", "Checks and explains policy files.") { Check(), Explain() };

    private static Command Check()
    {
        Argument<string> file = new("FILE") { Description = "The policy file." };
        Command command = new("check", "Says everything that is wrong with a policy file, each with its line. Exits with 2 where something is.") { file };
        command.SetAction(parse =>
        {
            if (TryRead(parse.GetValue(file)!, out AccessPolicy? policy, out int failure))
            {
                Console.Out.WriteLine($"{parse.GetValue(file)}: valid, {policy!.Rules.Count} rules, {policy.Limits.Count} limits"
                    + (policy.AuditRequired ? ", audit required" : ""));
                foreach (AccessRule rule in policy.Rules.Where(rule => rule.Rights.HasFlag(MapRights.Read) && rule.Maps.Any(map => map.IsByName)))
                {
                    Console.Error.WriteLine(
                        $"note: '{rule.Name}' lets maps be read by their name, which whoever may create maps can give to another one; pinnedPath is safer");
                }
            }

            return failure;
        });
        return command;
    }

    private static Command Explain()
    {
        Option<string> file = new("--policy-file") { Description = "The policy file.", HelpName = "FILE", Required = true };
        Option<string> principal = new("--principal") { Description = "Who, as `bpfremote node show` says.", HelpName = "P", Required = true };
        Option<string[]> groups = new("--group") { Description = "A group of the principal's; may be given again.", HelpName = "G" };
        Option<string[]> map = new("--map")
        {
            Description = "Which map of this machine: `id N`, `name NAME` or `pinned PATH`.",
            HelpName = "SELECTOR",
            Required = true,
            Arity = new ArgumentArity(2, 2),
            AllowMultipleArgumentsPerToken = true,
        };
        Command command = new("explain", "Says what a policy lets a principal do with a map, and which rule decides.") { file, principal, groups, map };
        command.SetAction(parse =>
        {
            if (!TryRead(parse.GetValue(file)!, out AccessPolicy? policy, out int failure))
            {
                return failure;
            }

            Caller caller = new(parse.GetValue(principal)!, parse.GetValue(groups) ?? [], Peer: "");
            string[] selector = parse.GetValue(map)!;
            try
            {
                return Explain(policy!, caller, selector);
            }
            catch (Exception e) when (e is BpfUnavailableException or BpfException)
            {
                Console.Error.WriteLine($"bpfremote-agent: {e.Message}");
                return Failed;
            }
        });
        return command;
    }

    private static int Explain(AccessPolicy policy, Caller caller, string[] selector)
    {
        KernelMapSource source = KernelMapSource.Create();
        PinnedMaps pins = source.ReadPins(CancellationToken.None);
        int found = 0;
        foreach (MapInfo map in Select(source, selector))
        {
            found++;
            IReadOnlyList<string> paths = pins.Of(map.Id);
            Console.Out.WriteLine($"map        {map.Id} {BpfTypeNames.OfMap(map.Type)} '{map.Name}', {(paths.Count > 0 ? $"pinned at {string.Join(", ", paths)}" : "not pinned")}");
            Console.Out.WriteLine($"principal  {caller.Principal}{string.Concat(caller.Groups.Select(group => $", {group}"))}");
            MapJudge judge = new(policy.RulesFor(caller), () => pins);
            Print("list", judge.RuleFor(MapRights.List, map, pin: null));
            AccessRule? read = judge.RuleFor(MapRights.Read, map, pin: null);
            Print("read", read);
            Print("full_pace", read is null ? null : judge.RuleFor(MapRights.FullPace, map, pin: null));
        }

        if (found == 0)
        {
            Console.Error.WriteLine($"bpfremote-agent: no map {string.Join(' ', selector)} on this machine");
        }

        return found > 0 ? 0 : Failed;

        static void Print(string right, AccessRule? rule) =>
            Console.Out.WriteLine($"{right,-10} {(rule is null ? "denied: no rule gives it" : $"allowed by '{rule.Name}'")}");
    }

    /// <summary>The maps that two words select.</summary>
    /// <exception cref="BpfException">There is no such id or pin.</exception>
    private static IEnumerable<MapInfo> Select(KernelMapSource source, string[] selector)
    {
        MapResolver maps = new(source);
        switch (selector)
        {
            case ["id", var number] when uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out uint id):
                return InfoOf([maps.TryOpenById(id)]);
            case ["pinned", var path] when path.StartsWith('/'):
                return InfoOf([maps.TryOpenPinned(path)]);
            case ["name", var name]:
                return InfoOf(maps.OpenAll(after: 0)).Where(map => map.Name == name);
            default:
                throw new BpfUnavailableException($"--map {string.Join(' ', selector)}: expected id N, name NAME or pinned PATH");
        }
    }

    private static IEnumerable<MapInfo> InfoOf(IEnumerable<IBpfMap?> maps)
    {
        foreach (IBpfMap? map in maps)
        {
            using (map)
            {
                if (map is not null)
                {
                    yield return map.Info;
                }
            }
        }
    }

    /// <param name="path">The file.</param>
    /// <param name="policy">The policy; null where there is none.</param>
    /// <param name="failure">The exit code then.</param>
    private static bool TryRead(string path, out AccessPolicy? policy, out int failure)
    {
        policy = null;
        failure = 0;
        try
        {
            policy = PolicyReader.Read(File.ReadAllBytes(path));
        }
        catch (PolicyException e)
        {
            foreach (string violation in e.Violations)
            {
                Console.Error.WriteLine($"{path}: {violation}");
            }

            failure = Invalid;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"bpfremote-agent: {e.Message}");
            failure = Failed;
        }

        return policy is not null;
    }
}
