#!/usr/bin/env node
import { installNative } from '../install/install-native';

void installNative({ progress: { step: (text) => console.log(text), bytes: () => undefined } });
