package npm

import (
	"hash/maphash"

	"pakhus/internal/registry"
)

// keySeed makes the hashes of keys unpredictable: nobody can make two keys meet.
var keySeed = maphash.MakeSeed()

// fewKeys is how many keys of an object are compared one by one.
const fewKeys = 16

// keySet finds keys that come twice in an object. It keeps 64-bit hashes: that
// two of 100,000 keys share one by accident happens once in billions of
// documents, and then a publish is refused.
type keySet struct {
	few  []uint64
	many map[uint64]struct{} // when there are more than fewKeys
}

func (k *keySet) reset() {
	k.few = k.few[:0]
	k.many = nil
}

// add is Invalid when the key is there already, or when it is one too many.
func (k *keySet) add(key []byte) error {
	h := maphash.Bytes(keySeed, key)
	if k.many != nil {
		if _, twice := k.many[h]; twice {
			return errTwice(key)
		}
		if len(k.many) == maxKeys {
			return registry.Errorf(registry.Invalid, "an object has more than %d keys", maxKeys)
		}
		k.many[h] = struct{}{}
		return nil
	}
	for _, seen := range k.few {
		if seen == h {
			return errTwice(key)
		}
	}
	if k.few = append(k.few, h); len(k.few) > fewKeys {
		k.many = make(map[uint64]struct{}, 4*fewKeys)
		for _, seen := range k.few {
			k.many[seen] = struct{}{}
		}
	}
	return nil
}

func errTwice(key []byte) error {
	return registry.Errorf(registry.Invalid, "the key %q comes twice in one object", cutText(string(key), 100))
}
