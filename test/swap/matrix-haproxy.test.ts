import { testMatrix } from './matrix.ts';

testMatrix('HAProxy');
